"use strict";
// The first task: which class does an image show? By key, button or search.

class ImageTask {
  static KEYS = "1234567890abcdefghijklmnopqrstuvwxyz";
  static MOST = 36; // classes that are found by search beyond it
  static SHOWN = 24;
  static SMALL = 128; // pixels, of a picture whose pixels are shown as they are

  constructor(main, source, answer) {
    this.main = main;
    this.source = source;
    this.answer = answer;
    this.id = source.id;
    this.count = source.path.length;
    this.columns = ["path", "annotator", "label"];
    this.suffix = "";
    this.none = { answer: null, text: "none of these" };
    this.known = new Set([null, ...source.classes.map((one) => one.name)]);
    this.searched = source.classes.length > ImageTask.MOST;
    this.keys = this.searched ? new Map() : this.keysOf(source.classes);
    this.sheets = source.sheets.files.map((file) => {
      const sheet = new Image();
      sheet.src = main.dataset.folder + file;
      sheet.addEventListener("load", () => this.examples());
      return sheet;
    });
    this.search.addEventListener("input", () => this.list());
  }

  get search() {
    return this.find("[name=class]");
  }

  find(selector) {
    return this.main.querySelector(selector);
  }

  // A class's own name where all are one letter or digit, else digits and letters in turn.
  keysOf(classes) {
    const own = classes.map((one) => one.called.toLowerCase());
    const single = own.every((name) => /^[a-z0-9]$/.test(name)) && new Set(own).size === own.length;
    return new Map(classes.map((one, place) => [single ? own[place] : ImageTask.KEYS[place], one]));
  }

  begin() {
    this.find(".search").hidden = !this.searched;
    this.list();
  }

  // An answer is a class of the dataset, or null for none of them.
  allows(answer) {
    return this.known.has(answer);
  }

  row(place, answer, annotator) {
    return [this.source.path[place], annotator, answer === null ? "none" : answer];
  }

  said(answer) {
    const known = this.source.classes.find((one) => one.name === answer);
    return known ? known.called : this.none.text;
  }

  // Return whether the key was one of the task's.
  press(event) {
    const chosen = this.keys.get(event.key.toLowerCase());
    if (chosen) this.answer(chosen.name);
    return Boolean(chosen);
  }

  // Keys in the search field are letters of a class, but for Enter.
  typed(event) {
    if (event.key !== "Enter") return;
    if (this.listed.length) this.answer(this.listed[0].name);
    event.preventDefault();
  }

  show(place, after) {
    this.find("[data-of=images]").hidden = false;
    this.find(".picture").hidden = place === undefined;
    if (this.searched && this.search.value) {
      this.search.value = "";
      this.list();
    }
    if (this.searched) this.search.focus();
    if (place !== undefined) this.picture(place, after);
  }

  // The classes as buttons: all of them, or those that the search finds.
  list() {
    const wanted = this.search.value.trim().toLowerCase();
    const all = this.source.classes;
    const fits = this.searched && wanted
      ? all.filter((one) => one.called.toLowerCase().includes(wanted)) : all;
    const begins = (one) => (one.called.toLowerCase().startsWith(wanted) ? 0 : 1);
    this.listed = this.searched
      ? [...fits].sort((a, b) => begins(a) - begins(b)).slice(0, ImageTask.SHOWN) : all;
    this.find(".found").textContent = this.searched
      ? `${this.listed.length} of ${fits.length} shown; Enter takes the first` : "";
    const keys = new Map([...this.keys].map(([key, one]) => [one, key]));
    this.find(".choices").replaceChildren(...this.listed.map((one) => this.choice(one, keys.get(one))));
    this.examples();
  }

  choice(one, key) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    if (key) {
      const shown = document.createElement("kbd");
      shown.textContent = key;
      button.append(shown);
    }
    const name = document.createElement("bdi");
    name.textContent = one.called;
    button.append(name);
    if (one.examples.length) {
      const examples = document.createElement("span");
      examples.className = "examples";
      examples.setAttribute("aria-hidden", "true");
      examples.append(...one.examples.map((place) => {
        const canvas = document.createElement("canvas");
        canvas.dataset.place = place;
        return canvas;
      }));
      button.append(examples);
    }
    button.addEventListener("click", () => this.answer(one.name));
    item.append(button);
    return item;
  }

  picture(place, after) {
    const shown = this.find(".picture");
    const file = (image) => this.main.dataset.folder + this.source.pictures[image];
    shown.onload = () => {
      const longest = Math.max(shown.naturalWidth, shown.naturalHeight);
      shown.classList.toggle("small", longest <= ImageTask.SMALL);
    };
    if (shown.getAttribute("src") !== file(place)) shown.src = file(place);
    if (after !== undefined) new Image().src = file(after);
  }

  examples() {
    for (const canvas of this.main.querySelectorAll(".examples canvas")) {
      this.put(canvas, Number(canvas.dataset.place));
    }
  }

  put(canvas, place) {
    const { side, columns } = this.source.sheets;
    const sheet = this.sheets[Math.floor(place / columns ** 2)];
    const within = place % columns ** 2;
    canvas.width = side;
    canvas.height = side;
    if (!sheet.complete || !sheet.naturalWidth) return;
    const x = (within % columns) * side;
    const y = Math.floor(within / columns) * side;
    canvas.getContext("2d").drawImage(sheet, x, y, side, side, 0, 0, side, side);
  }
}
