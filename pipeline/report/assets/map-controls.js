"use strict";
// Mouse, touch, keyboard, the legend, and the address bar.

const MOVE_MS = 650;
const TAP_REACH = 14; // CSS pixels beside a tile that still hit it
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

class MapControls {
  constructor(root, data, view) {
    this.root = root;
    this.data = data;
    this.view = view;
    this.canvas = view.canvas;
    this.pointers = new Map();
    this.layout = "map";
    this.#pointer();
    this.#keyboard();
    this.#tools();
    this.#legend();
    document.addEventListener("themechange", () => view.request());
    this.canvas.addEventListener("atlasload", () => this.#portrait());
    this.address = new MapAddress(this);
    this.address.read();
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  // Mouse and touch

  #pointer() {
    const { canvas, view } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
      this.travelled = this.pointers.size > 1 ? Infinity : 0;
    });
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#release(event));
    canvas.addEventListener("pointerleave", () => this.#hover(-1));
    canvas.addEventListener("dblclick", (event) => view.zoom(2, event.offsetX, event.offsetY));
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const step = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
        view.zoom(Math.exp(-Math.max(-240, Math.min(240, step)) / 400), event.offsetX, event.offsetY);
      },
      { passive: false },
    );
  }

  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" ? this.#hover(this.#under(event)) : undefined;
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.travelled += Math.abs(dx) + Math.abs(dy);
    if (this.pointers.size === 2) this.#pinch(event);
    else if (this.travelled > 4) this.view.pan(dx, dy);
    else return undefined;
    this.pointers.set(event.pointerId, event);
    return undefined;
  }

  #pinch(event) {
    const [a, b] = [...this.pointers.values()];
    const other = a.pointerId === event.pointerId ? b : a;
    const before = this.pointers.get(event.pointerId);
    const gap = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const box = this.canvas.getBoundingClientRect();
    const middle = [(event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top];
    this.view.zoom(gap(event) / gap(before), ...middle);
    this.view.pan((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
  }

  #release(event) {
    const held = this.pointers.delete(event.pointerId);
    if (held && event.type === "pointerup" && this.travelled <= 4) this.select(this.#under(event));
  }

  #under(event) {
    const [x, y] = this.view.toWorld(event.offsetX, event.offsetY);
    return this.data.at(x, y, this.view.tile, TAP_REACH / this.view.scale);
  }

  // Keyboard

  #keyboard() {
    const { canvas, view } = this;
    const far = () => Math.min(view.width, view.height) * 0.15;
    const keys = {
      ArrowLeft: () => view.pan(far(), 0),
      ArrowRight: () => view.pan(-far(), 0),
      ArrowUp: () => view.pan(0, far()),
      ArrowDown: () => view.pan(0, -far()),
      "+": () => view.zoom(1.4),
      "=": () => view.zoom(1.4),
      "-": () => view.zoom(1 / 1.4),
      0: () => view.fit(),
      Enter: () => this.select(this.data.at(view.x, view.y, view.tile, Infinity)),
      n: () => this.#goTo(this.data.step(view.selected, 1)),
      p: () => this.#goTo(this.data.step(Math.max(view.selected, 0), -1)),
      g: () => this.arrange(this.layout === "map" && this.data.layouts.grid ? "grid" : "map", true),
      Escape: () => this.select(-1),
    };
    canvas.addEventListener("keydown", (event) => {
      const action = keys[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
  }

  #goTo(i) {
    if (i < 0) return;
    this.select(i);
    this.view.centre(i, 28);
  }

  // Buttons and boxes

  #tools() {
    const { view } = this;
    const click = (name, action) => this.find(`[data-do=${name}]`).addEventListener("click", action);
    click("nearer", () => view.zoom(1.5));
    click("farther", () => view.zoom(1 / 1.5));
    click("whole", () => view.fit());
    for (const box of this.root.querySelectorAll("[name=layout]")) {
      box.disabled = !this.data.layouts[box.value];
      box.addEventListener("change", () => this.arrange(box.value, true));
    }
    const byLabel = this.find("[name=by-label]");
    byLabel.addEventListener("change", () => {
      view.byLabel = byLabel.checked;
      view.request();
    });
    const wrong = this.find("[name=wrong]");
    wrong.disabled = !this.data.predicted;
    wrong.addEventListener("change", () => {
      this.filterWrong(wrong.checked);
      this.address.write(false);
    });
    this.find(".search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search(event.target.elements.path.value);
    });
  }

  arrange(name, write = false) {
    const { data, view } = this;
    if (name === this.layout) return;
    const from = { x: data.x.slice(), y: data.y.slice(), tile: data.tile, spread: data.spread };
    this.layout = name;
    this.find(`[name=layout][value=${name}]`).checked = true;
    if (write) this.address.write(false);
    const start = performance.now();
    const frame = (now) => {
      if (this.layout !== name) return;
      const share = STILL.matches ? 1 : Math.min(1, Math.max(0, (now - start) / MOVE_MS));
      data.blend(from, data.layouts[name], share);
      view.request();
      if (share < 1) requestAnimationFrame(frame);
    };
    frame(STILL.matches ? start + MOVE_MS : start);
  }

  #search(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return;
    const { data, view } = this;
    for (let k = 1; k <= data.count; k++) {
      const i = (view.selected + k + data.count) % data.count;
      if (data.passes[i] && data.paths[i].toLowerCase().includes(wanted)) return void this.#goTo(i);
    }
    this.say(`No image shown has “${text}” in its path.`);
  }

  // Legend

  #legend() {
    const list = this.find(".legend ul");
    const counts = this.data.classCounts();
    this.entries = this.data.classes.map((name, k) => {
      const button = document.createElement("button");
      button.type = "button";
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = this.data.colours[k];
      const text = document.createElement("bdi");
      text.textContent = name;
      const count = document.createElement("span");
      count.className = "count";
      count.textContent = counts[k].toLocaleString("en");
      button.append(swatch, text, count);
      button.addEventListener("click", () => this.#toggle([k], !this.data.shownClasses[k]));
      const item = document.createElement("li");
      item.hidden = !counts[k];
      item.append(button);
      list.append(item);
      return button;
    });
    const all = this.data.classes.map((_, k) => k);
    this.find("[data-do=all]").addEventListener("click", () => this.#toggle(all, true));
    this.find("[data-do=none]").addEventListener("click", () => this.#toggle(all, false));
  }

  #toggle(classes, shown) {
    for (const k of classes) this.data.shownClasses[k] = shown ? 1 : 0;
    this.#filter();
    this.address.write(false);
  }

  filterWrong(wrong) {
    this.data.wrongOnly = wrong;
    this.find("[name=wrong]").checked = wrong;
    this.#filter();
  }

  #filter() {
    const passing = this.data.filter();
    this.entries.forEach((button, k) => button.setAttribute("aria-pressed", String(!!this.data.shownClasses[k])));
    this.find(".shown").textContent = `${passing.toLocaleString("en")} of ${this.data.count.toLocaleString("en")} images shown`;
    this.view.request();
  }

  // The image that is looked at

  #hover(i) {
    if (i === this.view.hovered) return;
    this.view.hovered = i;
    this.canvas.style.cursor = i < 0 ? "grab" : "pointer";
    this.#describe(i < 0 ? this.view.selected : i);
    this.view.request();
  }

  look(i) {
    this.view.selected = i;
    this.#describe(i);
    this.view.request();
  }

  select(i) {
    const before = this.view.selected;
    this.look(i);
    if (i !== before) this.address.write(true);
  }

  #describe(i) {
    const { data } = this;
    this.described = i;
    this.find(".none").hidden = i >= 0;
    this.find(".details").hidden = i < 0;
    if (i < 0) return;
    this.find(".path").textContent = visible(data.paths[i]);
    this.find(".label").textContent = data.classes[data.label[i]];
    const known = data.predicted && data.predicted[i] >= 0;
    this.find(".predicted").textContent = known ? data.classes[data.predicted[i]] : "–";
    const verdict = this.find(".verdict");
    verdict.hidden = !known || data.label[i] === data.classes.length - 1;
    verdict.textContent = data.wrong(i) ? "misclassified" : "right";
    verdict.classList.toggle("wrong", data.wrong(i));
    const link = this.find(".link");
    link.href = `image.html#path=${address(data.paths[i])}`;
    link.textContent = `image ${data.imageId[i]}`;
    this.#portrait();
  }

  #portrait() {
    if (this.described >= 0) this.view.portrait(this.find(".portrait"), this.described);
  }

  say(text) {
    this.find(".say").textContent = text;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("content");
  const source = window.CONVATLAS_MAP;
  if (!source) return void (root.querySelector(".say").textContent = "The map's data file is missing.");
  const data = new MapData(source);
  const view = new MapView(root.querySelector("canvas.map"), data, root.dataset.folder);
  view.resize();
  new MapControls(root, data, view);
});
