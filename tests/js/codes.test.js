// What a student types or pastes, and which code is meant.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";

import { CODE_LENGTH, mistaken, pasted, tidy } from "../../static/js/codes.js";

const models = readFileSync(new URL("../../classrooms/models.py", import.meta.url), "utf8");
const ALPHABET = /^CODE_ALPHABET = "(\w+)"/m.exec(models)[1];
const codes = fc.array(fc.constantFrom(...ALPHABET), { minLength: CODE_LENGTH, maxLength: CODE_LENGTH }).map((letters) => letters.join(""));

test("letters of the alphabet are never called mistaken, and all others are", () => {
  for (const letter of "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") assert.equal(mistaken(letter), ALPHABET.includes(letter) ? "" : letter);
});

test("a code is found however it is written", () => {
  const gaps = fc.array(fc.constantFrom("", " ", "-", " – ", "\u00a0"), { minLength: CODE_LENGTH, maxLength: CODE_LENGTH });
  fc.assert(fc.property(codes, gaps, (code, between) => {
    const written = [...code.toLowerCase()].map((letter, i) => letter + between[i]).join("");
    assert.equal(tidy(written), code);
    assert.equal(pasted(` ${written}\n`), code);
  }));
});

test("a code is found in the address of its door and in a message", () => {
  fc.assert(fc.property(codes, (code) => {
    for (const text of [
      `http://192.168.0.7:8000/j/${code}/`,
      `lectern.school.example/j/${code.toLowerCase()}?x=1`,
      `Join us at http://10.0.0.2:8000/j/${code}`,
      `Please come in, the code is ${code}.`,
    ]) assert.equal(pasted(text), code);
  }));
});

test("full-width letters of a Japanese keyboard are letters", () => {
  assert.equal(tidy("ＴＲＹＭＥ２"), "TRYME2");
});
