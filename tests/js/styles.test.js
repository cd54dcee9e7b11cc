// What the style sheets promise: one owner of each token, dark alike by system and by choice, layers declared once.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../static/css/", import.meta.url);
const sheets = new Map(readdirSync(folder).filter((name) => name.endsWith(".css")).map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
const tokens = sheets.get("tokens.css").replace(/\/\*.*?\*\//gs, "");

/** The declarations of the block after `selector`. */
const block = (selector) => Object.fromEntries([...tokens.slice(tokens.indexOf(selector)).match(/\{([^}]*)\}/)[1].matchAll(/([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]));

test("dark by the system and dark by choice are the same", () => {
  const system = block(':root:not([data-theme="light"])');
  assert.ok(Object.keys(system).length > 15);
  assert.deepEqual(block('\n  :root[data-theme="dark"]'), system);
});

test("the order of the layers is declared once", () => {
  const declared = [...sheets].filter(([, text]) => /@layer [\w-]+(, [\w-]+)+;/.test(text)).map(([name]) => name);
  assert.deepEqual(declared, ["tokens.css"]);
});

test("every rule is in a layer, but those that answer the stock admin's sheets, which are in none", () => {
  for (const [name, text] of sheets) if (name !== "admin.css") assert.match(text.replace(/\/\*.*?\*\//gs, "").replace(/@layer [\w, -]+;/, "").trim(), /^@layer \w+ \{[\s\S]*\}$/, name);
});

test("every token that is used is defined, here or by a script", () => {
  const byScript = new Set(["--c", "--c-ink", "--w", "--ratio"]);
  const defined = new Set([...tokens.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  for (const [name, text] of sheets) {
    for (const [, token] of text.matchAll(/var\((--[\w-]+)/g)) assert.ok(defined.has(token) || byScript.has(token), `${name}: ${token}`);
  }
});

/** @param {string} color "#rrggbb" */
const luminance = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

test("text contrasts 4.5 to 1 with what it stands on, the edge of a field 3 to 1, light and dark", () => {
  const pairs = [["ink", "paper"], ["ink-2", "paper"], ["ink-3", "paper"], ["ink-3", "surface"], ["ink-2", "sunken"], ["accent", "surface"], ["accent-ink", "accent"], ["danger", "surface"], ["danger", "danger-soft"], ["ok", "paper"], ["warn", "paper"], ["chalk-ink", "chalk"], ["ink", "chalk-soft"], ["accent", "accent-soft"]];
  for (const theme of [block("\n  :root "), block('\n  :root[data-theme="dark"]')]) {
    for (const [text, ground] of pairs) assert.ok(contrast(theme[`--${text}`], theme[`--${ground}`]) >= 4.5, `${text} on ${ground}: ${contrast(theme[`--${text}`], theme[`--${ground}`])}`);
    for (const ground of ["surface", "paper"]) assert.ok(contrast(theme["--edge"], theme[`--${ground}`]) >= 3, `edge on ${ground}`);
  }
});
