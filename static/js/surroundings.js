// What the browser around a session offers: places where things happen, and shelves. Each may be missing.
// @ts-check

/** Where `online pageshow pagehide visibilitychange` happen. @returns {EventTarget[]} */
export function wakersOf({ window, document } = globalThis) {
  return [window, document].filter(Boolean);
}

/** The browser's own shelves; some refuse even to be asked. @returns {IDBFactory|null} */
export function shelvesOf(scope = globalThis) {
  try {
    return scope.indexedDB ?? null;
  } catch {
    return null;
  }
}

/** What this tab keeps over a reload; some browsers keep nothing. @returns {Storage|null} */
export function tabStorage(scope = globalThis) {
  try {
    return scope.sessionStorage ?? null;
  } catch {
    return null;
  }
}
