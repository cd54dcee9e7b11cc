// The page that starts a lesson at /teach/: decks come in the order in which they are ticked. Without this script they
// come as they were uploaded.
// @ts-check

const form = /** @type {HTMLFormElement} */ (document.getElementById("start"));
const order = /** @type {HTMLInputElement} */ (form.elements.namedItem("order"));
const boxes = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[name=decks]")]);

/** Ids of what is ticked, the first first. @type {string[]} */
let ticked = [];

function draw() {
  const on = boxes.filter((box) => box.checked).map((box) => box.value);
  ticked = [...ticked.filter((id) => on.includes(id)), ...on.filter((id) => !ticked.includes(id))];
  order.value = ticked.join(",");
  for (const box of boxes) {
    const place = /** @type {HTMLElement} */ (box.parentElement?.querySelector("[data-place]"));
    place.hidden = !box.checked || ticked.length < 2;
    place.textContent = String(ticked.indexOf(box.value) + 1);
  }
}

ticked = order.value.split(",").filter(Boolean); // the page comes back when something was wrong
for (const box of boxes) box.addEventListener("change", draw);
draw();
