// Pure: the words of the wire, protocol 1: frames, kinds, codes and limits. Twin: classrooms/messages.py, kinds.py.
// @ts-check

/**
 * Frames that go up.
 * @typedef {{type: "hello", protocol: number[], ticket: string, client: string, epoch: string|null, since: number|null, at: number|null}} Hello
 * @typedef {{type: "op", id: string, kind: string, data: any}} Op
 * @typedef {{type: "signal", kind: string, data: any}} Signal
 * @typedef {{type: "pong", applied: number|null}} Pong
 * @typedef {{type: "time", t: number}} Time
 * @typedef {{type: "sync", since: number|null, at: number|null}} Sync
 * @typedef {Hello|Op|Signal|Pong|Time|Sync} UpFrame
 *
 * Frames that come down.
 * @typedef {{id: string, name: string, role: "instructor"|"assistant"|"student", color: string}} Person
 * @typedef {{seq: number, kind: string, by: string|null, at: number, op: string|null, data: any}} WireEvent
 * @typedef {{type: "welcome", protocol: number, epoch: string, head: number, mode: "resume"|"snapshot", me: Person, ticket: string, limits: Limits, pace: number, retry: [number, number], now: number}} Welcome
 * @typedef {{type: "events", events: WireEvent[]}} Events
 * @typedef {{type: "done", id: string, seq: number|null}} Done
 * @typedef {{type: "refused", id: string|null, code: string, message: string, retry?: boolean, after?: number}} Refused
 * @typedef {{type: "signals", signals: {kind: string, by: string, data: any}[]}} Signals
 * @typedef {{type: "presence", count: number, here?: Person[], left?: string[]}} Presence
 * @typedef {{type: "ping", head: number, digest?: [string, number], pace?: number}} Ping
 * @typedef {{type: "time", t: number, now: number}} TimeAnswer
 * @typedef {{type: "bye", code: number, message: string, after?: number, spread?: number, reload?: boolean}} Bye
 * @typedef {Welcome|Events|Done|Refused|Signals|Presence|Ping|TimeAnswer|Bye} DownFrame
 *
 * What a participant may send, as `welcome.limits` tells it: sizes in bytes, rates a second.
 * @typedef {{frame: number, data: number, ops: number, ops_burst: number, signals: number, signals_burst: number, connections: number, text: number, points: number, edits: number, items: number}} Limits
 */

import { MAX_EDITS, MAX_ITEMS, MAX_TEXT } from "./items.js";
import { MAX_POINTS } from "./points.js";

export const PROTOCOL = 1;
export const SUBPROTOCOL = "lectern.1";

export const UP = ["hello", "op", "signal", "pong", "time", "sync"];
export const DOWN = ["welcome", "events", "done", "refused", "signals", "presence", "ping", "time", "bye"];

/** A student's, until `welcome` brings one's own. @type {Limits} */
export const LIMITS = {
  frame: 64 * 1024,
  data: 16 * 1024,
  ops: 10,
  ops_burst: 40,
  signals: 25,
  signals_burst: 50,
  connections: 5,
  text: MAX_TEXT,
  points: MAX_POINTS,
  edits: MAX_EDITS,
  items: MAX_ITEMS,
};

/** op kind -> the kind of the event that it asks for. @type {Map<string, string>} */
export const OPS = new Map([
  ["lesson.end", "lesson.ended"],
  ["person.change", "person.changed"],
  ["person.remove", "person.removed"],
  ["person.readmit", "person.readmitted"],
  ["page.add", "page.added"],
  ["page.show", "page.shown"],
  ["page.rename", "page.renamed"],
  ["page.move", "page.moved"],
  ["page.remove", "page.removed"],
  ["page.clear", "page.cleared"],
  ["page.unclear", "page.uncleared"],
  ["board.edit", "board.edited"],
  ["policy.set", "policy.set"],
  ["draw.allow", "draw.allowed"],
  ["hand.raise", "hand.raised"],
  ["hand.lower", "hand.lowered"],
  ["hand.call", "hand.called"],
  ["chat.post", "chat.posted"],
  ["chat.remove", "chat.removed"],
]);

/** Kinds of events that only the server makes. */
export const SERVER_EVENTS = ["lesson.started", "person.joined", "page.described", "board.seeded"];

export const SIGNALS = ["ink", "drag", "cursor", "laser", "typing", "react"];

/** Refusal code -> a sentence that says what to do. @type {Map<string, string>} */
export const SENTENCES = new Map([
  ["unknown_code", "No classroom has this code. Look at the board again and compare each letter and digit."],
  ["not_live", "The lesson has not started yet. Stay here: you will come in when it does."],
  ["door_locked", "The teacher has locked the door. Ask to be let in."],
  ["removed", "The teacher has removed you from this lesson. Ask the teacher if you think this is a mistake."],
  ["full", "This lesson is full. Ask the teacher to make room."],
  ["slow_down", "Too many tries. Wait a moment, then try again."],
  ["bad_frame", "This message could not be read. Reload the page; if it happens again, tell the teacher."],
  ["unknown_kind", "This lesson does not know what was asked. Reload the page to get the newest version."],
  ["not_allowed", "You are not allowed to do this now. Ask the teacher."],
  ["ended", "The lesson has ended. What you made before the end is kept."],
  ["too_large", "This is too large. Send it in smaller parts."],
  ["too_many_points", "This stroke is too long. Draw it in shorter strokes."],
  ["too_many_items", "This page is full. Erase something or go on with a new page."],
  ["too_long", "This text is too long. Shorten it."],
  ["rate_limited", "That was too fast. It will be sent again in a moment."],
  ["unknown_page", "This page is not there any more. Choose another one."],
  ["unknown_participant", "This person is not in the lesson. Choose somebody from the list of people."],
  ["already_answered", "You have answered already. The first answer counts."],
  ["closed", "This is closed. The teacher can open it again."],
  ["overloaded", "Very many people are drawing at once. It will be sent again in a moment."],
  ["try_again", "This could not be stored just now. It will be sent again."],
  ["bad_file", "This file cannot be read as a PDF. Export it again as a PDF and upload that."],
  ["file_encrypted", "This PDF is locked with a password. Save it without the password and upload that."],
  ["too_many_pages", "This PDF has too many pages. Split it and upload the parts."],
]);

/** Close codes of a live connection. 4000-4099: do not come back unchanged; 4100-4199: come back after a while. */
export const CLOSE = Object.freeze({
  DONE: 1000,
  TICKET: 4001,
  REMOVED: 4003,
  ENDED: 4004,
  PROTOCOL: 4005,
  REPLACED: 4006,
  BAD_HELLO: 4007,
  TOO_MANY_TABS: 4009,
  NO_HELLO: 4108,
  SILENT: 4110,
  RESTARTING: 4112,
  OVERLOADED: 4113,
  TOO_SLOW: 4114,
  FLOODING: 4129,
  INTERNAL: 4150,
  RESYNC: 4200,
});

/** The id of a client's nth op. @param {string} client  8 hex digits, drawn at every page load @param {number} n  from 1 */
export function opId(client, n) {
  return `${client}:${n}`;
}

/** The id of a client's nth item. @param {string} participant @param {string} client @param {number} n  from 1 */
export function itemId(participant, client, n) {
  return `${participant}.${client}.${n}`;
}

/** The bytes that `value` takes as JSON on the wire. @param {any} value */
export function byteLength(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
