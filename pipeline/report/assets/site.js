"use strict";
// On every page: the theme that the reader chose, and arrow keys between neighbouring pages.
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

document.addEventListener("keydown", (event) => {
  const direction = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const busy = event.target.closest("input, select, textarea, canvas, .scroll, .plate, pre, summary");
  if (!direction || busy || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = document.querySelector(`a[rel=${direction}]`);
  if (link) location.href = link.href;
});

// What is folded away, or waits to be scrolled to, would be missing on paper.
addEventListener("beforeprint", () => {
  for (const image of document.images) image.loading = "eager";
  for (const details of document.querySelectorAll("main details")) details.open = true;
});

// Control characters, line ends and changes of writing direction as escapes, as in the report's other pages.
function visible(text) {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (letter) => `\\u${letter.codePointAt(0).toString(16).padStart(4, "0")}`,
  );
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
