"use strict";
// Keys of every page: / searches, ? names the keys, j and k and the arrows go on; and the menu of chapters.

const keys = {
  everywhere: [
    ["/", "search: units, images, classes, layers, sections"],
    ["j k", "go on, go back: unit, layer, image, section"],
    ["→ ←", "the next page, the one before"],
    ["?", "these keys"],
    ["Esc", "close"],
  ],
  map: [
    ["arrows", "move"],
    ["+ − 0", "nearer, farther, the whole"],
    ["Enter", "look at the image in the middle"],
    ["n p", "step through the images, as j and k do"],
    ["g", "map or grid"],
    ["Shift arrows", "draw a box from the middle; what lies in it is listed"],
    ["Esc", "no box, then no image"],
  ],

  // A page may have steps of its own: a function of 1 or -1.
  step: null,

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typed = "input:not([type=radio], [type=checkbox]), select, textarea";
    if (event.key === "Escape") this.fold();
    else if (!event.target.closest(typed)) this.act(event);
  },

  act(event) {
    const own = document.body.matches(".label-page"); // There letters are answers.
    const actions = { "/": () => search.open(), "?": () => this.show() };
    if (!own) Object.assign(actions, { j: () => this.go(1), k: () => this.go(-1) });
    const busy = event.shiftKey || event.target.closest("input, canvas, .scroll, .plate, pre, summary");
    if (!busy) Object.assign(actions, { ArrowRight: () => this.turn(1), ArrowLeft: () => this.turn(-1) });
    if (!Object.hasOwn(actions, event.key)) return;
    if (actions[event.key]() !== false) event.preventDefault();
  },

  // Chapters are read heading by heading, and so is a page that has no neighbours; others are turned.
  go(direction) {
    if (this.step) return this.step(direction);
    const read = document.querySelector("main section.chapter") || !this.neighbour(direction);
    const heading = read ? this.heading(direction) : null;
    return heading ? this.reach(heading) : this.turn(direction);
  },

  neighbour(direction) {
    return document.querySelector(`a[rel=${direction > 0 ? "next" : "prev"}]`);
  },

  turn(direction) {
    const link = this.neighbour(direction);
    if (!link) return false;
    location.href = link.href;
    return true;
  },

  // The heading after or before the one that has the focus and is seen, else that the reader has come to.
  heading(direction) {
    const all = [...document.querySelectorAll("main h2")].filter((one) => one.getClientRects().length);
    const tops = all.map((one) => one.getBoundingClientRect().top);
    const focused = all.findIndex((one, k) => one.contains(document.activeElement) && tops[k] > 0 && tops[k] < innerHeight);
    const edge = 2 * document.querySelector(".bar").offsetHeight;
    const come = tops.filter((top) => top < edge).length - 1;
    return all[(focused >= 0 ? focused : come) + direction];
  },

  reach(heading) {
    const link = heading.querySelector("a:not(.anchor)") || heading;
    if (link === heading) heading.tabIndex = -1;
    heading.scrollIntoView({ block: "start" });
    link.focus({ preventScroll: true });
  },

  // Closes the menu.
  fold() {
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  },

  show() {
    this.dialog ??= this.made();
    this.dialog.showModal();
  },

  made() {
    const dialog = element("dialog", { className: "keys", ariaLabel: "Keys" });
    const lists = [["Keys", this.everywhere]];
    if (document.querySelector("canvas.map")) lists.push(["On the map", this.map]);
    for (const [title, list] of lists) {
      const items = list.flatMap(([names, what]) => [
        element("dt", {}, ...names.split(" ").map((name) => element("kbd", {}, name))),
        element("dd", {}, what),
      ]);
      dialog.append(element("h2", {}, title), element("dl", {}, ...items));
    }
    dialog.append(element("form", { method: "dialog" }, element("button", {}, "Close")));
    return opened(dialog);
  },
};

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

// Puts a dialog on the page: keys that are pressed in it are its own, and a click beside it closes it.
function opened(dialog) {
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    shut(dialog);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && shut(dialog));
  document.body.append(dialog);
  return dialog;
}

// A field of a closed dialog would keep the focus, and the keys, until the next frame.
function shut(dialog) {
  dialog.close();
  if (dialog.contains(document.activeElement)) document.activeElement.blur();
}

document.addEventListener("keydown", (event) => keys.press(event));
document.addEventListener("click", (event) => {
  if (!event.target.closest("details.menu")) keys.fold();
});
