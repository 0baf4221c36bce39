"use strict";
// The labelling page: shows image after image and takes answers by key, button or search.

const label = {
  KEYS: "1234567890abcdefghijklmnopqrstuvwxyz",
  MOST: 36, // classes that are found by search beyond it
  SHOWN: 24,
  SMALL: 128, // pixels, of a picture whose pixels are shown as they are

  start() {
    this.source = window.CONVATLAS_LABELLING;
    this.main = document.querySelector("main.label");
    this.sheets = this.source.sheets.files.map((file) => {
      const sheet = new Image();
      sheet.src = this.main.dataset.folder + file;
      sheet.addEventListener("load", () => this.draw());
      return sheet;
    });
    this.searched = this.source.classes.length > this.MOST;
    this.keys = this.searched ? new Map() : this.keysOf(this.source.classes);
    this.find("form.begin").addEventListener("submit", (event) => this.begin(event));
    this.find("[name=class]").addEventListener("input", () => this.list());
    for (const button of this.main.querySelectorAll("button[data-do]")) {
      button.addEventListener("click", () => this.act(button));
    }
    document.addEventListener("keydown", (event) => this.press(event));
    this.find("form.begin").hidden = false;
    try {
      this.find("[name=annotator]").value = localStorage.getItem("convatlas-label-annotator") || "";
    } catch {
      // Then the name is asked for anew.
    }
    this.find("[name=annotator]").focus();
  },

  find(selector) {
    return this.main.querySelector(selector);
  },

  // A class's own name where all are one letter or digit, else digits and letters in turn.
  keysOf(classes) {
    const own = classes.map((one) => one.called.toLowerCase());
    const single = own.every((name) => /^[a-z0-9]$/.test(name)) && new Set(own).size === own.length;
    return new Map(classes.map((one, place) => [single ? own[place] : this.KEYS[place], one]));
  },

  begin(event) {
    event.preventDefault();
    const name = this.find("[name=annotator]").value.trim();
    if (!name) return;
    this.answers = new Answers(this.source, name);
    // A hidden field would keep the focus, and the keys, until the next frame.
    this.find("[name=annotator]").blur();
    this.find("form.begin").hidden = true;
    this.find(".task").hidden = false;
    this.find(".answers").hidden = false;
    this.find(".search").hidden = !this.searched;
    this.list();
    this.show();
    if (this.searched) this.find("[name=class]").focus();
  },

  press(event) {
    if (!this.answers || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, textarea");
    if (field && field.name === "class") {
      if (event.key === "Enter" && this.listed.length) this.answer(this.listed[0].name);
      if (event.key === "Backspace" && !field.value) this.undo();
      if (event.key === "-" && !field.value) this.answer(null);
      if (event.key === "Enter" || (event.key === "-" && !field.value)) event.preventDefault();
      return;
    }
    if (field) return;
    const chosen = this.keys.get(event.key.toLowerCase());
    if (event.key === "Backspace") this.undo();
    else if (event.key === "-") this.answer(null);
    else if (chosen) this.answer(chosen.name);
    else return;
    event.preventDefault();
  },

  act(button) {
    const doing = button.dataset.do;
    if (doing === "none") this.answer(null);
    if (doing === "undo") this.undo();
    if (doing === "save") this.save();
    if (doing === "leave") location.reload();
    if (doing === "forget") this.forget(button);
  },

  answer(name) {
    if (this.answers.next === undefined) return;
    this.answers.add(name);
    const known = this.source.classes.find((one) => one.name === name);
    this.say(`${known ? known.called : "none of these"}; next image`);
    if (this.searched) {
      this.find("[name=class]").value = "";
      this.list();
      this.find("[name=class]").focus();
    }
    this.show();
  },

  undo() {
    if (!this.answers.count) return;
    this.answers.undo();
    this.say("taken back");
    this.show();
  },

  // A second press means it.
  forget(button) {
    if (button.dataset.sure) {
      this.answers.forget();
      this.show();
      return;
    }
    button.dataset.sure = "yes";
    button.textContent = `Really forget ${this.answers.count}?`;
  },

  say(text) {
    this.find(".say").textContent = text;
  },

  show() {
    const { count, next, kept } = this.answers;
    const total = this.source.path.length;
    this.find(".progress progress").max = total;
    this.find(".progress progress").value = count;
    this.find(".count").textContent = `${count} of ${total}`;
    this.find(".done").hidden = next !== undefined;
    this.find(".picture").hidden = next === undefined;
    this.find(".stored").hidden = kept;
    this.find("textarea").value = this.answers.csv();
    const forget = this.find("[data-do=forget]");
    delete forget.dataset.sure;
    forget.textContent = "Forget these answers";
    this.draw();
  },

  // The classes as buttons: all of them, or those that the search finds.
  list() {
    const wanted = this.find("[name=class]").value.trim().toLowerCase();
    const all = this.source.classes;
    const fits = this.searched && wanted
      ? all.filter((one) => one.called.toLowerCase().includes(wanted)) : all;
    const begins = (one) => (one.called.toLowerCase().startsWith(wanted) ? 0 : 1);
    this.listed = this.searched ? [...fits].sort((a, b) => begins(a) - begins(b)).slice(0, this.SHOWN) : all;
    this.find(".found").textContent = this.searched
      ? `${this.listed.length} of ${fits.length} shown; Enter takes the first` : "";
    const keys = new Map([...this.keys].map(([key, one]) => [one, key]));
    this.find(".choices").replaceChildren(...this.listed.map((one) => this.choice(one, keys.get(one))));
    this.draw();
  },

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
  },

  draw() {
    if (!this.answers) return;
    if (this.answers.next !== undefined) this.picture(this.answers.next);
    for (const canvas of this.main.querySelectorAll(".examples canvas")) {
      this.put(canvas, Number(canvas.dataset.place));
    }
  },

  picture(place) {
    const shown = this.find(".picture");
    const file = (image) => this.main.dataset.folder + this.source.pictures[image];
    shown.onload = () => {
      shown.classList.toggle("small", Math.max(shown.naturalWidth, shown.naturalHeight) <= this.SMALL);
    };
    if (shown.getAttribute("src") !== file(place)) shown.src = file(place);
    const after = this.answers.order[this.answers.count + 1];
    if (after !== undefined) new Image().src = file(after);
  },

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
  },

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.answers.csv()], { type: "text/csv" }));
    link.download = `${this.answers.annotator.replace(/[^\p{L}\p{N}_-]+/gu, "-") || "answers"}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },
};

label.start();
