// Light or dark: puts the person's choice on the root before the first paint, and changes it at a press of #theme.
// A classic script on purpose: a module would run after the paint and the page would flash.
// @ts-check
"use strict";

(() => {
  const KEY = "lectern.theme";
  const root = document.documentElement;

  /** The kept choice; null (follow the system) when there is none or the browser keeps nothing. */
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };

  /** @param {string} theme */
  const keep = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // a private window: the choice lasts as long as the page
    }
  };

  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  const choice = kept();
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      keep(root.dataset.theme);
    });
  });
})();
