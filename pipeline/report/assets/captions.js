"use strict";
// The caption of a figure as plain text, with its title and what its numbers are of, to be copied into a paper.

const captions = {
  text(figure) {
    const parts = [...figure.querySelectorAll(":scope > :is(h3, h4, h5), figcaption > :not(.files)")];
    const lines = parts.map((one) => one.innerText.replace(/\s+/g, " ").trim()).filter(Boolean);
    return lines.map((line) => (/[.!?:]$/.test(line) ? line : `${line}.`)).join(" ");
  },

  show(figure) {
    this.dialog ??= this.made();
    this.field.value = this.text(figure);
    this.dialog.showModal();
    this.field.select();
  },

  made() {
    this.field = element("textarea", { readOnly: true, rows: 9, ariaLabel: "The caption" });
    const close = element("form", { method: "dialog" }, element("button", {}, "Close"));
    return opened(element("dialog", { className: "caption-text", ariaLabel: "The caption, to copy" }, element("h2", {}, "The caption, to copy"), this.field, close));
  },
};

// Figures may come with a page's data, later than this.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.cite");
  if (button) captions.show(button.closest("figure"));
});
