// Pure: what each kind of op carries, checked and made normal as the server will do it. Twin: classrooms/kinds.py.
// @ts-check

import { checkId, checkText, ItemError, MAX_EDITS, MAX_TEXT, normaliseEdit } from "./items.js";
import { byteLength, LIMITS, OPS } from "./protocol.js";

export const MAX_NAME = 40;
export const MAX_TITLE = 120;
export const MAX_PAGE_TITLE = 80;

const HIDDEN = /[\p{Cc}\p{Cf}\p{Surrogate}\p{Co}\p{Zl}\p{Zp}]/u;
const BLANKS = /^[ \n\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+|[ \n\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+$/g;
const JOINERS = /[\u200c\u200d]/g; // part of how Persian and the scripts of India are written, and of many emojis
const UNSEEN = /[\u115f\u1160\u2800\u3164\uffa0]/g; // count as letters or symbols, and show nothing
const TOWER = /[\p{Mn}\p{Me}]{5}/u;

/**
 * What the door makes of an op: the kind of the event that it asks for, and its data, normal and without unknown fields.
 * Throws ItemError, whose `code` is the refusal that the server would send. The slide of a `page.add` is left out: only
 * the server has slides.
 * @param {string} kind  of the op @param {any} data @returns {{kind: string, data: Record<string, any>}}
 */
export function readOp(kind, data) {
  const event = OPS.get(kind), shape = SHAPES.get(kind);
  if (event === undefined || shape === undefined) throw new ItemError("unknown_kind", kind);
  if (typeof data !== "object" || data === null || Array.isArray(data)) bad("data");
  if (byteLength(data) > LIMITS.data) throw new ItemError("too_large", kind);
  const normal = shape(data);
  if (byteLength(normal) > LIMITS.data) throw new ItemError("too_large", kind);
  return { kind: event, data: normal };
}

/** A person's name as it is stored: NFC, no space around it. Throws ItemError. @param {any} text @returns {string} */
export function cleanName(text) {
  const name = oneLine(text);
  if (showsNothing(name)) bad("name");
  if ([...name].length > MAX_NAME) throw new ItemError("too_long", "name");
  return name;
}

/** A page's title as it is stored, "" for none. Throws ItemError. @param {any} text @returns {string} */
export function cleanTitle(text) {
  const title = oneLine(text);
  if ([...title].length > MAX_PAGE_TITLE) throw new ItemError("too_long", "title");
  return showsNothing(title) ? "" : title;
}

/** @param {any} text @returns {string} */
function oneLine(text) {
  const line = typeof text === "string" ? text.normalize("NFC").replace(BLANKS, "") : bad("text");
  return HIDDEN.test(line.replace(JOINERS, "")) || TOWER.test(line) ? bad("text") : line;
}

/** @param {string} line */
const showsNothing = (line) => line.replace(JOINERS, "").replace(UNSEEN, "").replace(BLANKS, "") === "";

/** @param {string} reason @returns {never} */
function bad(reason) {
  throw new ItemError("bad_frame", reason);
}

/** Returns the value, normal, or throws ItemError. @typedef {(value: any) => any} Check */

/** @param {readonly any[]} values @returns {Check} */
const oneOf = (values) => (value) => (values.includes(value) ? value : bad("value"));

/** @type {Check} */
const seq = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : bad("seq"));

/** @type {Check} */
const idOrNull = (value) => (value === null ? null : checkId(value));

const TRUTH = oneOf([true, false]);
const ROLE = oneOf(["instructor", "assistant", "student"]);

/** @type {Check} */
const title = (value) => checkText(value, MAX_TITLE);

/** @type {Check} */
function postText(value) {
  return checkText(value, MAX_TEXT).replace(BLANKS, "") === "" ? bad("text") : value;
}

/** @type {Check} */
function edits(value) {
  if (!Array.isArray(value) || value.length === 0) bad("edits");
  const normal = value.map(normaliseEdit);
  if (value.length > MAX_EDITS) throw new ItemError("too_large", "edits");
  return normal;
}

/** Whether a field is there; JSON leaves out what is undefined. @param {any} data @param {string} name */
function has(data, name) {
  return Object.hasOwn(data, name) && data[name] !== undefined;
}

/**
 * A shape: fields that must be there, fields that may, and fields for which null is the same as absent.
 * @param {Record<string, Check>} required @param {Record<string, Check>} [optional] @param {Record<string, Check>} [nullable]
 * @returns {(data: any) => Record<string, any>}
 */
function shape(required, optional = {}, nullable = {}) {
  return (data) => {
    /** @type {Record<string, any>} */
    const normal = {};
    for (const [name, check] of Object.entries(required)) normal[name] = has(data, name) ? check(data[name]) : bad(name);
    for (const [name, check] of Object.entries(optional)) if (has(data, name)) normal[name] = check(data[name]);
    for (const [name, check] of Object.entries(nullable)) {
      if (has(data, name) && data[name] !== null) normal[name] = check(data[name]);
    }
    return normal;
  };
}

/** A shape of which at least one field must be there. @param {(data: any) => Record<string, any>} inner @param {readonly string[]} names */
const some = (inner, names) => (/** @type {any} */ data) => {
  const normal = inner(data);
  return names.some((name) => Object.hasOwn(normal, name)) ? normal : bad(names.join());
};

const POLICY = {
  draw: oneOf(["everyone", "chosen", "staff"]),
  edit: oneOf(["own", "shared"]),
  roam: TRUTH,
  chat: TRUTH,
  door: oneOf(["open", "locked"]),
};

/** @type {Map<string, (data: any) => Record<string, any>>} */
const SHAPES = new Map([
  ["lesson.end", shape({})],
  ["person.change", some(shape({ participant: checkId }, { name: cleanName, role: ROLE }), ["name", "role"])],
  ["person.remove", shape({ participant: checkId })],
  ["person.readmit", shape({ participant: checkId })],
  ["page.add", shape({ page: checkId, kind: oneOf(["slide", "blank"]), title }, { after: idOrNull })],
  ["page.show", shape({ page: checkId })],
  ["page.rename", shape({ page: checkId, title: cleanTitle })],
  ["page.move", shape({ page: checkId }, { after: idOrNull })],
  ["page.remove", shape({ page: checkId })],
  ["page.clear", shape({ page: checkId }, {}, { only: checkId })],
  ["page.unclear", shape({ page: checkId, seq })],
  ["board.edit", shape({ page: checkId, edits }, {}, { guard: seq })],
  ["policy.set", some(shape({}, POLICY), Object.keys(POLICY))],
  ["draw.allow", shape({ participant: checkId, allowed: TRUTH })],
  ["hand.raise", shape({})],
  ["hand.lower", shape({}, {}, { participant: checkId })],
  ["hand.call", shape({ participant: checkId })],
  ["chat.post", shape({ text: postText }, {}, { reply: seq })],
  ["chat.remove", shape({ seq })],
]);
