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
  const nextStep = part("next-step", HTMLElement);

  /** @param {{number: number, image: string, width: number, height: number}} slide */
  const add = (slide) => {
    const item = document.createElement("li");
    const image = new Image(320, Math.round((320 * slide.height) / slide.width));
    image.alt = t("Page {n}", { n: slide.number });
    image.src = slide.image;
    const number = document.createElement("span");
    number.textContent = String(slide.number);
    item.append(image, number);
    pages.append(item);
  };

  const ask = async () => {
    const response = await fetch(`${deck.dataset.progress}?after=${pages.children.length}`);
    if (!response.ok) throw new Error(String(response.status));
    const answer = await response.json();
    if (answer.status === "failed" || answer.pages_done < pages.children.length) return location.reload();
    answer.slides.forEach(add);
    state.textContent = answer.state;
    bar.max = answer.pages || 1;
    bar.value = answer.pages_done;
    bar.hidden = !answer.unfinished;
    nextStep.hidden = answer.status !== "ready";
    if (answer.unfinished) setTimeout(next, POLL);
  };

  const next = () => ask().catch(() => setTimeout(next, PATIENCE));
  next();
};

const upload = document.getElementById("upload");
if (upload instanceof HTMLFormElement) watchUpload(upload);
const deck = document.getElementById("deck");
if (deck) watchPages(deck);
