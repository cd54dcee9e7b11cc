// What stands around the board: tools, bars, panels and dialogs, wired to the lesson once the board is there.
// @ts-check

import { byId } from "../dom.js";
import { say } from "./announce.js";
import { bar } from "./bar.js";
import { chat } from "./chat.js";
import { wireDialogs } from "./dialogs.js";
import { filmstrip } from "./filmstrip.js";
import { keys } from "./keys.js";
import { lessonMenu } from "./lesson_menu.js";
import { link } from "./link.js";
import { pageMenu } from "./page_menu.js";
import { pager } from "./pager.js";
import { everybody, people } from "./people.js";
import { person } from "./person.js";
import { preview } from "./preview.js";
import { selecting } from "./selection.js";
import { Tabs } from "./tabs.js";
import { toolbar } from "./toolbar.js";
import { step } from "./turning.js";
import { tray } from "./tray.js";
import { undo } from "./undo.js";
import { Writers } from "./writers.js";
import { Desk } from "../tools/desk.js";
import { eraser } from "../tools/eraser.js";
import { highlighter, pen } from "../tools/pen.js";
import { selectTool } from "../tools/select.js";
import { Selection } from "../tools/selection.js";
import { arrow, box, ellipse, line } from "../tools/shape.js";
import { swiping } from "../tools/swipe.js";
import { note, text } from "../tools/text.js";
import { Toolbox } from "../tools/toolbox.js";

/** localStorage throws where a browser keeps nothing. @returns {Storage|null} */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/**
 * @param {{store: import("../store.js").Store, session: import("../session.js").Session, board: import("../render/board.js").Board}} room
 * @returns {(id: string) => import("./roster.js").Entry|null} who somebody is
 */
export function furnish({ store, session, board }) {
  const tabs = new Tabs();
  const selection = new Selection({ store, session });
  const toolbox = new Toolbox([pen, highlighter, eraser, selectTool(selection), line, arrow, box, ellipse, text, note], storage());
  const writers = new Writers();
  const app = { store, session, tabs, toolbox, writers };
  const desk = new Desk({ surface: byId("board-own"), overlay: byId("board-overlay"), store, session, board, toolbox, say: (words) => say(words, "board") });
  session.onSignals((signals) => writers.hear(signals));
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
  return (id) => everybody(app).get(id) ?? null;
}
