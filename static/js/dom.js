// Making and updating elements without markup: text goes through textContent, always.
// @ts-check

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element with this id, which the template promises.
 * @param {string} id @returns {any}  HTMLElement of the kind the template has
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * An element with attributes and children. `onclick`-like values that are functions become listeners; null, undefined
 * and false attributes are left out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node|string|null|undefined|false)} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(.../** @type {(Node|string)[]} */ (children.filter((child) => child !== null && child !== undefined && child !== false)));
  return element;
}

/** @param {Element} element @param {string} name @param {any} value */
export function set(element, name, value) {
  if (typeof value === "function") element.addEventListener(name.slice(2), value);
  else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : String(value));
}

/** A picture of the sprite (templates/icons.html). @param {string} name @param {string} [size] */
export function icon(name, size = "") {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", `icon ${size}`.trim());
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  picture.append(use);
  return picture;
}

/** Change an icon of the template. @param {Element} holder @param {string} name */
export function swapIcon(holder, name) {
  set(/** @type {Element} */ (holder.querySelector("use")), "href", `#i-${name}`);
}

/** Write text only where it differs: a live region that is written again is read again. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make `parent` hold one element for each entry, in order; elements keep their identity (focus, hover) by key.
 * @template T
 * @param {Element} parent @param {Iterable<T>} entries @param {(entry: T) => string} key
 * @param {(entry: T) => HTMLElement} make @param {(element: HTMLElement, entry: T) => void} update
 */
export function keyed(parent, entries, key, make, update) {
  /** @type {Map<string, HTMLElement>} */
  const old = new Map();
  for (const child of /** @type {Iterable<HTMLElement>} */ (parent.children)) old.set(child.dataset.key ?? "", child);
  /** @type {Element|null} */
  let place = parent.firstElementChild;
  for (const entry of entries) {
    const name = key(entry);
    const element = old.get(name) ?? make(entry);
    old.delete(name);
    element.dataset.key = name;
    update(element, entry);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of old.values()) element.remove();
}

/** Two letters for an avatar. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [...words[0]][0] + [...words[words.length - 1]][0] : [...(words[0] ?? "")].slice(0, 2).join("");
  return letters.toLocaleUpperCase();
}
