// Pure ink codec: points of a stroke as a short string, and back. Twin: whiteboard/points.py.
// @ts-check
//
// A tag (`a`: x, y; `b`: x, y, pressure), then base64url without padding of zigzag varints: each point is the difference
// from the one before, in quarter units relative to the item's `at`.

/** Points of one stroke; a longer one is committed in parts. */
export const MAX_POINTS = 1000;
/** Quarter units: from one edge of a blank sheet to the other. */
const REACH = 65536 * 4;
/** Bytes of a varint: a difference is at most 2 * REACH, its zigzag 21 bits. */
const MAX_VARINT = 3;
const MAX_TEXT = 1 + (MAX_POINTS * 3 * MAX_VARINT * 4) / 3 + 2;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) VALUES[DIGITS.charCodeAt(i)] = i;

/** This is no ink. `tooMany` when the only fault is the number of points. */
export class BadInk extends Error {
  /** @param {string} reason @param {boolean} [tooMany] */
  constructor(reason, tooMany = false) {
    super(reason);
    this.tooMany = tooMany;
  }
}

/**
 * The ink of points in units, rounded to quarters.
 * @param {Iterable<readonly number[]>} points  [x, y], or [x, y, pressure 0-255] when `pressed`
 * @param {boolean} pressed
 * @returns {string}
 */
export function encode(points, pressed) {
  /** @type {number[]} */
  const bytes = [];
  let x = 0, y = 0, pressure = 0;
  for (const point of points) {
    const nextX = Math.floor(point[0] * 4 + 0.5), nextY = Math.floor(point[1] * 4 + 0.5);
    put(bytes, nextX - x);
    put(bytes, nextY - y);
    x = nextX;
    y = nextY;
    if (!pressed) continue;
    const next = Math.min(255, Math.max(0, Math.floor(point[2] + 0.5)));
    put(bytes, next - pressure);
    pressure = next;
  }
  return (pressed ? "b" : "a") + base64url(bytes);
}

/** @param {number[]} bytes @param {number} difference */
function put(bytes, difference) {
  let rest = difference >= 0 ? difference * 2 : -difference * 2 - 1;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** @param {number[]} bytes */
function base64url(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const three = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += DIGITS[three >> 18] + DIGITS[(three >> 12) & 63];
    if (left > 1) text += DIGITS[(three >> 6) & 63];
    if (left > 2) text += DIGITS[three & 63];
  }
  return text;
}

/**
 * The points of an ink, in units. Throws BadInk, and nothing else, whatever the text.
 * @param {string} text
 * @returns {number[][]}  [x, y] or [x, y, pressure]
 */
export function decode(text) {
  if (typeof text !== "string") throw new BadInk("no text");
  if (text.length > MAX_TEXT) throw new BadInk("too long", true);
  const axes = text[0] === "b" ? 3 : text[0] === "a" ? 2 : 0;
  if (axes === 0 || text.length < 2) throw new BadInk("not a tag and base64url");
  const values = differences(unbase64url(text));
  if (values.length % axes) throw new BadInk("ends within a point");
  if (values.length / axes > MAX_POINTS) throw new BadInk("too many points", true);
  const points = new Array(values.length / axes);
  let x = 0, y = 0, pressure = 0;
  for (let i = 0, n = 0; i < values.length; i += axes, n++) {
    x += values[i];
    y += values[i + 1];
    if (!(x >= -REACH && x <= REACH && y >= -REACH && y <= REACH)) throw new BadInk("out of range");
    if (axes === 2) {
      points[n] = [x / 4, y / 4];
      continue;
    }
    pressure += values[i + 2];
    if (pressure < 0 || pressure > 255) throw new BadInk("pressure out of range");
    points[n] = [x / 4, y / 4, pressure];
  }
  return points;
}

/** The bytes behind the tag. Strict: loose bits at the end are refused, so that each ink has one text only. @param {string} text */
function unbase64url(text) {
  const digits = text.length - 1;
  if (digits % 4 === 1) throw new BadInk("not base64url");
  const bytes = new Uint8Array((digits * 3) >> 2);
  let bits = 0, held = 0, n = 0;
  for (let i = 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code] : -1;
    if (value < 0) throw new BadInk("not base64url");
    bits = ((bits << 6) | value) & 0xfff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[n++] = (bits >> held) & 0xff;
    }
  }
  if (bits & ((1 << held) - 1)) throw new BadInk("loose bits at the end");
  return bytes;
}

/** @param {Uint8Array} bytes */
function differences(bytes) {
  /** @type {number[]} */
  const values = [];
  let rest = 0, shift = 0;
  for (const byte of bytes) {
    rest |= (byte & 0x7f) << shift;
    if (byte & 0x80) {
      shift += 7;
      if (shift === 7 * MAX_VARINT) throw new BadInk("a varint of too many bytes");
      continue;
    }
    if (shift && !byte) throw new BadInk("an overlong varint");
    values.push(rest & 1 ? -((rest + 1) >> 1) : rest >> 1);
    rest = shift = 0;
  }
  if (shift) throw new BadInk("ends within a varint");
  return values;
}
