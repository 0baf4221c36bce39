"use strict";
// On every page: the theme that the reader chose, and links from tiles of pictures.
// Loaded in the head, so that a dark page never flashes white.

const site = {
  key: "convatlas-theme",

  stored() {
    const asked = new URLSearchParams(location.search).get("theme");
    if (asked === "dark" || asked === "light") return asked;
    try {
      return localStorage.getItem(this.key);
    } catch {
      return null; // A browser may refuse storage to pages from disk.
    }
  },

  system: matchMedia("(prefers-color-scheme: dark)"),

  dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : this.system.matches;
  },

  choose(theme) {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(this.key, theme);
    } catch {
      // The choice then holds for this page only.
    }
    this.announce();
  },

  announce() {
    const button = document.querySelector("button.theme");
    if (button) button.setAttribute("aria-label", this.dark() ? "Use light colours" : "Use dark colours");
    document.dispatchEvent(new Event("themechange"));
  },
};

{
  const theme = site.stored();
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
}

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("button.theme");
  button.hidden = false;
  button.addEventListener("click", () => site.choose(site.dark() ? "light" : "dark"));
  site.system.addEventListener("change", () => site.announce());
  site.announce();

  const contents = document.querySelector(".contents details");
  if (contents && matchMedia("(max-width: 1099px)").matches) contents.open = false;
});

// Of a picture made of units' tiles, each tile leads to its unit; beside the tiles the picture itself opens.
const tiles = {
  unit(event) {
    const link = event.target.closest?.("a[data-places]");
    if (!link) return [];
    const [rows, columns, corner] = link.dataset.places.split(",").map(Number);
    const box = link.querySelector("img").getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const beside = row < corner ? corner : 0;
    if (column < beside || column >= columns || row < 0 || row >= rows) return [link];
    const place = row * columns + column - corner * Math.min(row + 1, corner);
    const units = link.dataset.units.split(",");
    const unit = units.length > 1 ? units[place] : place < Number(units[0]) ? String(place) : "";
    return unit ? [link, unit] : [link];
  },
};

document.addEventListener("mousemove", (event) => {
  const [link, unit] = tiles.unit(event);
  if (link) link.title = unit ? `unit ${unit}` : "";
});

document.addEventListener("click", (event) => {
  const [link, unit] = tiles.unit(event);
  if (!unit || event.detail === 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  location.href = link.dataset.page + unit;
});

// What is folded away, or waits to be scrolled to, would be missing on paper.
addEventListener("beforeprint", () => {
  for (const image of document.images) image.loading = "eager";
  for (const details of document.querySelectorAll("main details")) details.open = true;
});

// Control characters, line ends and changes of writing direction as escapes, as in the report's other pages.
// Joiners stay where they shape a script or an emoji: between two letters that are none of ASCII's.
const HIDDEN = new RegExp(
  String.raw`(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]` +
    String.raw`|(?<![^\x00-\x7f\p{Cc}\p{Cf}])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f\p{Cc}\p{Cf}])`,
  "gu",
);

function visible(text) {
  return text.replace(HIDDEN, (letter) => `\\u${letter.codePointAt(0).toString(16).padStart(4, "0")}`);
}

const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

// A name in its own direction, a path part by part, as in the report's other pages: numbers beside letters that are
// written to the left would be taken along.
function named(name) {
  const text = visible(name);
  if (!LEFTWARD.test(text)) return element("bdi", {}, text);
  const parts = text.split(/(\/|\.[0-9A-Za-z]+$)/);
  return element("bdi", { dir: "ltr" }, ...parts.flatMap((part, k) => (k % 2 ? part : part ? element("bdi", {}, part) : [])));
}

function address(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
