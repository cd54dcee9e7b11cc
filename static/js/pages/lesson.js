// The lesson page: takes the pass, wires store, session, board, tools and panels. Nothing is decided here.
// @ts-check

import { byId } from "../dom.js";
import { t } from "../i18n.js";
import { Session } from "../session.js";
import { Store } from "../store.js";
import { say } from "../panels/announce.js";
import { bar } from "../panels/bar.js";
import { chat } from "../panels/chat.js";
import { wireDialogs } from "../panels/dialogs.js";
import { filmstrip } from "../panels/filmstrip.js";
import { keys } from "../panels/keys.js";
import { lessonMenu } from "../panels/lesson_menu.js";
import { link } from "../panels/link.js";
import { showCard } from "../panels/over.js";
import { pageMenu } from "../panels/page_menu.js";
import { pager } from "../panels/pager.js";
import { everybody, people } from "../panels/people.js";
import { person } from "../panels/person.js";
import { preview } from "../panels/preview.js";
import { selecting } from "../panels/selection.js";
import { slideText } from "../panels/slide_text.js";
import { Tabs } from "../panels/tabs.js";
import { toolbar } from "../panels/toolbar.js";
import { step } from "../panels/turning.js";
import { tray } from "../panels/tray.js";
import { undo } from "../panels/undo.js";
import { Writers } from "../panels/writers.js";
import { Board, layersOfPage } from "../render/board.js";
import { Desk } from "../tools/desk.js";
import { eraser } from "../tools/eraser.js";
import { highlighter, pen } from "../tools/pen.js";
import { amStaff, mayChange } from "../tools/rights.js";
import { selectTool } from "../tools/select.js";
import { Selection } from "../tools/selection.js";
import { arrow, box, ellipse, line } from "../tools/shape.js";
import { swiping } from "../tools/swipe.js";
import { note, text } from "../tools/text.js";
import { Toolbox } from "../tools/toolbox.js";

const csrf = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]')).content;

/** The pass that the page brought; staff who open the page first ask for theirs. @returns {Promise<any>} null when it is refused (said on the page) */
async function takePass() {
  const brought = JSON.parse(byId("pass").textContent ?? "null");
  if (brought) return brought;
  const asked = { method: "POST", headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" }, body: "{}" };
  const response = await fetch(`/api/lessons/${document.body.dataset.lesson}/join/`, asked).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response?.ok) return answer;
  byId("link-chip").hidden = true;
  showCard(answer?.code ?? "shut", { message: answer?.message ?? t("The server did not answer. Wait a moment and try again."), board: false });
  return null;
}

/** localStorage throws where a browser keeps nothing. @returns {Storage|null} */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @param {any} pass */
function open(pass) {
  const store = new Store(pass.participant);
  const session = new Session({ pass, store, csrf });
  const tabs = new Tabs();
  const selection = new Selection({ store, session });
  const toolbox = new Toolbox([pen, highlighter, eraser, selectTool(selection), line, arrow, box, ellipse, text, note], storage());
  const writers = new Writers();
  const app = { store, session, tabs, toolbox, writers };
  const onSlide = slideText(app);
  const board = new Board({
    ...layersOfPage(),
    store,
    person: (id) => everybody(app).get(id) ?? null,
    onSlide,
    mayChange: (by, item) => mayChange(store, by, item),
    within: amStaff(store) ? 300 : undefined,
  });
  const desk = new Desk({ surface: byId("board-own"), overlay: byId("board-overlay"), store, session, board, toolbox, say: (words) => say(words, "board") });
  session.onSignals((signals) => {
    board.receive(signals, session.pace);
    writers.hear(signals);
  });
  const { open: openPerson, rename, askReadmit } = person(app);
  wireDialogs();
  keys(app, storage()); // before all others who listen to the board
  bar(app);
  pager(app);
  filmstrip({ ...app, menu: pageMenu(app) });
  preview(app);
  const idle = () => toolbox.tool === null; // with Select in hand one finger draws a rectangle
  swiping(byId("board-own"), { alone: idle, turn: (by) => step(store, session, by) });
  toolbar({ ...app, desk });
  people({ ...app, openPerson, askReadmit });
  chat(app);
  tray(app);
  undo(app);
  selecting({ ...app, board, selection });
  lessonMenu({ ...app, rename });
  link(app);
  session.start();
  // For the operator's console and the browser stories, which wait for states and compare digests. Pages read nothing here.
  Object.assign(window, { lectern: { session, store } });
}

const pass = await takePass();
if (pass) open(pass);
