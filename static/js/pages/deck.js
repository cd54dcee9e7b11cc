// A deck at /teach/: sends the file with a bar that grows, then shows the pages one by one as they are done.
// Without this script both forms work as plain forms.
// @ts-check

import { t } from "../i18n.js";

const POLL = 1000; // ms between questions; a page takes a tenth of a second
const PATIENCE = 5000; // ms after a question that got no answer

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
const part = (id, type) => {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`no ${id} on this page`);
  return element;
};

/** @param {HTMLFormElement} form */
const watchUpload = (form) => {
  const wrong = part("file-wrong", HTMLElement);
  const sending = part("sending", HTMLElement);
  const bar = part("sent", HTMLProgressElement);
  const share = part("sent-share", HTMLOutputElement);
  const cancel = part("cancel", HTMLButtonElement);
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));

  /** @param {boolean} on */
  const busy = (on) => {
    sending.hidden = cancel.hidden = !on;
    submit.disabled = on;
  };

  /** @param {string} message */
  const refuse = (message) => {
    busy(false);
    wrong.hidden = false;
    /** @type {HTMLElement} */ (wrong.querySelector("span")).textContent = message;
  };

  /** @param {number} sent */
  const show = (sent) => {
    bar.value = sent;
    share.textContent = `${Math.floor(sent * 100)} %`;
  };

  /** @param {XMLHttpRequest} request */
  const read = (request) => {
    const answer = request.response ?? {};
    if (request.status === 201) location.assign(answer.location);
    else refuse(answer.message ?? t("The file did not arrive. Check your connection and upload it again."));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wrong.hidden = true;
    const request = new XMLHttpRequest(); // fetch() tells nothing of the bytes sent
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (step) => show(step.total ? step.loaded / step.total : 0));
    request.addEventListener("load", () => read(request));
    request.addEventListener("error", () => read(request));
    request.addEventListener("abort", () => busy(false));
    cancel.onclick = () => request.abort();
    show(0);
    busy(true);
    request.send(new FormData(form));
  });
};

/** @param {HTMLElement} deck */
const watchPages = (deck) => {
  const state = part("state", HTMLElement);
  const bar = part("done", HTMLProgressElement);
  const pages = part("pages", HTMLOListElement);
  const leaf = part("leaf", HTMLTemplateElement);
  const nextStep = part("next-step", HTMLElement);
  const leaves = () => /** @type {HTMLElement[]} */ ([...pages.children]);
  let newest = Math.max(0, ...leaves().map((one) => Number(one.dataset.id)));

  /** @param {{id: number, number: number, image: string, width: number, height: number, text: string}} slide */
  const add = (slide) => {
    newest = Math.max(newest, slide.id);
    const item = /** @type {HTMLElement} */ (leaf.content.querySelector("li")?.cloneNode(true));
    item.id = `page-${slide.number}`;
    item.dataset.id = String(slide.id);
    item.dataset.number = String(slide.number);
    const image = /** @type {HTMLImageElement} */ (item.querySelector("img"));
    image.width = 320;
    image.height = Math.round((320 * slide.height) / slide.width);
    image.src = slide.image;
    /** @type {HTMLInputElement} */ (item.querySelector("[name=number]")).value = String(slide.number);
    /** @type {HTMLElement} */ (item.querySelector(".marks")).hidden = slide.text !== "";
    /** @type {HTMLTextAreaElement} */ (item.querySelector("[name=text]")).defaultValue = slide.text;
    pages.insertBefore(item, leaves().find((one) => Number(one.dataset.number) > slide.number) ?? null);
  };

  /** Tells every page its place, and the first and the last that they go no further. */
  const number = () => {
    const all = leaves();
    all.forEach((item, index) => {
      const place = String(index + 1);
      item.querySelector("[role=group]")?.setAttribute("aria-label", t("Page {n}", { n: place }));
      /** @type {HTMLElement} */ (item.querySelector(".number")).textContent = place;
      const from = /** @type {HTMLElement} */ (item.querySelector(".from"));
      from.hidden = item.dataset.number === place;
      from.textContent = t("PDF page {n}", { n: item.dataset.number ?? "" });
      /** @type {HTMLButtonElement} */ (item.querySelector("[value=earlier]")).disabled = index === 0;
      /** @type {HTMLButtonElement} */ (item.querySelector("[value=later]")).disabled = index === all.length - 1;
    });
  };

  /** Nothing that somebody is writing goes. */
  const reload = () => {
    const written = [...pages.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);
    if (!written) location.reload();
  };

  const ask = async () => {
    const response = await fetch(`${deck.dataset.progress}?after=${newest}`);
    if (!response.ok) throw new Error(String(response.status));
    const answer = await response.json();
    answer.slides.forEach(add);
    number();
    state.textContent = answer.state;
    bar.max = answer.pages || 1;
    bar.value = answer.pages_done;
    bar.hidden = !answer.unfinished;
    nextStep.hidden = pages.children.length === 0 || deck.dataset.hidden !== undefined;
    if (answer.unfinished) setTimeout(next, POLL);
    else if (pages.children.length < answer.pages || answer.status === "failed") reload(); // it says what is missing
  };

  const next = () => ask().catch(() => setTimeout(next, PATIENCE));
  next();
};

const upload = document.getElementById("upload");
if (upload instanceof HTMLFormElement) watchUpload(upload);
const deck = document.getElementById("deck");
if (deck && document.getElementById("leaf")) watchPages(deck);
