// Pure: the kinds of items, their fields and limits, and how the edits of an op become normal. Twin: whiteboard/items.py.
// @ts-check

import { BadInk, decode } from "./points.js";

/** Alive, on one page. */
export const MAX_ITEMS = 5000;
/** In one op. */
export const MAX_EDITS = 50;
/** Characters (code points). */
export const MAX_TEXT = 2000;
export const MAX_ALT = 500;
/** Units from the middle of a blank sheet to its edge. */
export const EDGE = 32768;
/** Degrees either way: ten times round. */
export const MAX_TURN = 3600;

export const ID = /^[a-z0-9][a-z0-9.:-]{0,47}$/;
const COLOR = /^#[0-9A-Fa-f]{6}$/;
const IMAGE = /^[0-9a-f]{64}$/;
const CONTROL = /[\0-\t\v-\x1f\x7f-\x9f]|\p{Surrogate}/u;
const DASHES = ["solid", "dashed", "dotted"];

/** @typedef {{required: readonly string[], optional: readonly string[], signed: boolean}} Kind  signed: `box` may be negative */

const STROKE = { required: ["at", "ink", "style"], optional: ["box"], signed: false };
const LINE = { required: ["at", "box", "style"], optional: [], signed: true };
const BOX = { required: ["at", "box", "style"], optional: [], signed: false };
const TEXT = { required: ["at", "box", "text", "style"], optional: [], signed: false };

/** @type {Map<string, Kind>} */
export const KINDS = new Map([
  ["stroke", STROKE],
  ["highlight", STROKE],
  ["line", LINE],
  ["arrow", LINE],
  ["box", BOX],
  ["ellipse", BOX],
  ["text", TEXT],
  ["note", TEXT],
  ["image", { required: ["at", "box", "image"], optional: [], signed: false }],
]);

/** Fields of all kinds. */
export const COMMON = ["turn", "top", "alt", "group"];

/** An edit that the door refuses; `code` is one of the refusal codes. */
export class ItemError extends Error {
  /** @param {string} code @param {string} reason */
  constructor(code, reason) {
    super(reason);
    this.code = code;
  }
}

/** Round to quarter units, halves upwards: the same on both sides of the wire. @param {number} value */
export function quarter(value) {
  return Math.floor(value * 4 + 0.5) / 4;
}

/** @param {any} value @param {string} [reason] @returns {never} */
function bad(value, reason = "shape") {
  throw new ItemError("bad_frame", reason);
}

/** @param {any} value @returns {string} */
export function checkId(value) {
  return typeof value === "string" && ID.test(value) ? value : bad(value, "id");
}

/** @param {any} value @param {number} limit  characters @returns {string} */
export function checkText(value, limit) {
  if (typeof value !== "string" || CONTROL.test(value)) bad(value, "control characters");
  if (value.length > limit && [...value].length > limit) throw new ItemError("too_long", "text");
  return value;
}

/** @param {any} value @param {number} least @param {number} most @returns {number} */
export function checkNumber(value, least, most) {
  return typeof value === "number" && value >= least && value <= most ? value + 0 : bad(value, "number");
}

/** @param {any} value @param {number} reach @returns {[number, number]} */
export function checkPair(value, reach) {
  if (!Array.isArray(value) || value.length !== 2) bad(value, "pair");
  return [quarter(checkNumber(value[0], -reach, reach)), quarter(checkNumber(value[1], -reach, reach))];
}

/** @param {any} value @returns {string} */
export function checkInk(value) {
  try {
    decode(value);
  } catch (error) {
    throw new ItemError(error instanceof BadInk && error.tooMany ? "too_many_points" : "bad_frame", "ink");
  }
  return value;
}

/** @param {any} value @returns {string} */
export function checkColor(value) {
  return typeof value === "string" && COLOR.test(value) ? value.toLowerCase() : bad(value, "color");
}

/** @param {any} value */
export function checkStyle(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) bad(value, "style");
  /** @type {Record<string, any>} */
  const style = { color: checkColor(value.color) };
  if (value.width !== undefined) style.width = checkNumber(value.width, 0.5, 80);
  if (value.opacity !== undefined) style.opacity = checkNumber(value.opacity, 0.05, 1);
  if (value.dash !== undefined) style.dash = DASHES.includes(value.dash) ? value.dash : bad(value, "dash");
  if (value.fill !== undefined) style.fill = value.fill === "none" ? "none" : checkColor(value.fill);
  if (value.size !== undefined) style.size = checkNumber(value.size, 8, 200);
  return style;
}

/** @type {Map<string, {check: (value: any) => any, unset: boolean}>}  unset: null unsets it */
const FIELDS = new Map([
  ["at", { check: (value) => checkPair(value, EDGE), unset: false }],
  ["box", { check: (value) => checkPair(value, 2 * EDGE), unset: true }],
  ["ink", { check: checkInk, unset: false }],
  ["image", { check: (value) => (typeof value === "string" && IMAGE.test(value) ? value : bad(value, "image")), unset: false }],
  ["style", { check: checkStyle, unset: false }],
  ["text", { check: (value) => checkText(value, MAX_TEXT), unset: false }],
  ["turn", { check: (value) => checkNumber(value, -MAX_TURN, MAX_TURN), unset: true }],
  ["top", { check: checkTop, unset: true }],
  ["alt", { check: (value) => checkText(value, MAX_ALT), unset: true }],
  ["group", { check: checkId, unset: true }],
]);

/** @param {any} value */
function checkTop(value) {
  if (value === "front" || value === "back") return value;
  return checkNumber(value, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}

/**
 * The fields of an edit, normal and without unknown ones. Throws ItemError.
 * @param {string|null} kind  of an add, whose fields must be those of the kind; null for a set
 * @param {any} fields @returns {Record<string, any>}
 */
export function normalise(kind, fields) {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) bad(fields, "fields");
  /** @type {Record<string, any>} */
  const normal = {};
  for (const [name, { check, unset }] of FIELDS) {
    if (!Object.hasOwn(fields, name) || fields[name] === undefined) continue;
    normal[name] = fields[name] === null && unset ? null : check(fields[name]);
  }
  return kind === null ? normal : ofKind(kind, normal);
}

/** Whether normal fields may be set on an item of a kind. On one of a later version's kind, any may. @param {string} kind @param {Record<string, any>} fields */
export function suits(kind, fields) {
  const known = KINDS.get(kind);
  if (!known) return true;
  if (!Object.keys(fields).every((name) => [...known.required, ...known.optional, ...COMMON].includes(name))) return false;
  if (known.required.some((name) => fields[name] === null)) return false;
  return known.signed || !fields.box || Math.min(...fields.box) >= 0;
}

/** @param {string} kind @param {Record<string, any>} normal */
function ofKind(kind, normal) {
  const known = KINDS.get(kind) ?? bad(kind, "kind");
  for (const name of Object.keys(normal)) {
    if (normal[name] === null || ![...known.required, ...known.optional, ...COMMON].includes(name)) delete normal[name];
  }
  for (const name of known.required) if (!Object.hasOwn(normal, name)) bad(normal, name);
  if (!known.signed && normal.box && Math.min(...normal.box) < 0) bad(normal, "box");
  return normal;
}

/** An edit, normal. Throws ItemError. @param {any} edit */
export function normaliseEdit(edit) {
  if (!Array.isArray(edit)) bad(edit, "edit");
  const [verb, id] = edit;
  if (verb === "add" && edit.length >= 4) {
    return [verb, checkId(id), edit[2], normalise(typeof edit[2] === "string" ? edit[2] : bad(edit), edit[3])];
  }
  if (verb === "set" && edit.length >= 3) return [verb, checkId(id), normalise(null, edit[2])];
  if ((verb === "remove" || verb === "restore") && edit.length >= 2) return [verb, checkId(id)];
  return bad(edit, "verb");
}

/** A foreign text (typed, pasted) as the wire wants it: NFC, newlines, no controls, cut. @param {string} text @param {number} limit */
export function tidyText(text, limit) {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\t/g, " ").normalize("NFC");
  return [...lines.replace(new RegExp(CONTROL, "gu"), "")].slice(0, limit).join("");
}
