// What a tool is: a value that names itself and begins gestures. Types only; the desk (desk.js) drives them.
// @ts-check

/**
 * A place the pointer was: x, y in page units, and 0-255 where the device knows pressure.
 * @typedef {readonly number[]} Point
 *
 * How a tool's ink looks; a palette entry.
 * @typedef {{color: string, width: number, opacity?: number}} Style
 *
 * @typedef {object} Palette
 * @property {{value: string, name: string}[]} colors  names are English source texts
 * @property {{value: number, name: string}[]} widths  in units
 * @property {number} [opacity]
 *
 * What a gesture may use. `page` is fixed when it begins: a stroke that lands on a page just left is kept.
 * @typedef {object} Desk
 * @property {import("../store.js").Store} store
 * @property {import("../session.js").Session} session
 * @property {import("../render/board.js").Board} board
 * @property {string} page
 * @property {Style} style
 * @property {boolean} doubtful  a finger's stroke may turn out to be a pinch: others need not see it before that is past
 * @property {() => number} now  ms, own clock
 * @property {(words: string) => void} say  to a screen reader, politely
 *
 * From pointer down to pointer up.
 * @typedef {object} Gesture
 * @property {(points: Point[], even?: boolean) => void} extend  more points, newest last; even: Shift is held
 * @property {() => void} finish  pointer up: propose what was made
 * @property {() => void} cancel  a palm, a pinch, or the browser took the pointer: leave no trace
 *
 * @typedef {object} Tool
 * @property {string} name   also the icon's
 * @property {string} label  English source text
 * @property {string} key    one letter, while the board has the focus
 * @property {Palette|null} palette
 * @property {boolean} [rare]  it lies behind one button where the toolbar is narrow
 * @property {boolean} [sizes]  the palette's widths are sizes of letters
 * @property {number} [reach]  CSS pixels: radius of the ring shown in place of a cursor
 * @property {1|2} [corners]  how many places the keyboard sets; without: it is for pointers only
 * @property {(desk: Desk, point: Point) => Gesture} begin
 * @property {() => void} [leave]  the page was turned, or another gesture begins: what is still open is finished
 */

export {};
