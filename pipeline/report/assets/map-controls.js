"use strict";
// Mouse, touch, keyboard, colours and filters, and the address bar.

const MOVE_MS = 650;
const TAP_REACH = 14; // CSS pixels beside a tile that still hit it
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

class MapControls {
  constructor(root, data, view, folder) {
    this.root = root;
    this.data = data;
    this.view = view;
    this.paths = new MapPaths(data.source, folder);
    this.colours = new MapColours(data, folder);
    this.canvas = view.canvas;
    this.pointers = new Map();
    this.layout = "map";
    this.box = new MapBox(this);
    this.#pointer();
    this.#keyboard();
    this.#tools();
    this.#sheet();
    this.legend = new MapLegend(this.find(".legend"), view, () => {
      this.filter();
      this.address.write(false);
    });
    // The first view needs colours before any address is read.
    this.startColour = data.anyLabelled() ? "label" : "predicted";
    this.colour(this.startColour);
    view.resize();
    document.addEventListener("themechange", () => view.request());
    this.canvas.addEventListener("atlasload", () => this.#portrait());
    this.address = new MapAddress(this);
    this.address.read();
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  // On a phone the panel is a sheet that lies on the map, low until it is asked for.
  #sheet() {
    const [panel, grip] = [".panel", ".grip"].map((one) => this.find(one));
    if (getComputedStyle(grip).display !== "none") this.find(".legend").open = false;
    grip.addEventListener("click", () => {
      const high = panel.classList.toggle("high");
      grip.setAttribute("aria-expanded", String(high));
      if (high) this.find(".legend").open = true;
      else panel.scrollTop = 0;
    });
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
    const { view } = this;
    view.steer({
      Enter: () => this.select(this.data.at(view.x, view.y, view.tile, Infinity)),
      n: () => keys.step(1),
      p: () => keys.step(-1),
      g: () => this.arrange(this.layout === "map" ? "grid" : "map", true),
      Escape: () => this.select(-1),
    });
    keys.step = (direction) => this.#goTo(this.data.step(direction > 0 ? view.selected : Math.max(view.selected, 0), direction));
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
      box.addEventListener("change", () => this.arrange(box.value, true));
    }
    const colour = this.find("[name=colour]");
    colour.append(...this.colours.choices().map(([key, title]) => new Option(title, key)));
    colour.addEventListener("change", () => this.colour(colour.value, true));
    const wrong = this.find("[name=wrong]");
    wrong.closest("label").hidden = !this.data.anyJudged();
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
    // Its images would not lie together any more.
    this.box.set(null);
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

  async #search(text) {
    const wanted = folded(text.trim());
    if (!wanted) return;
    const { data, view, paths } = this;
    await paths.all();
    for (let k = 1; k <= data.count; k++) {
      const i = (view.selected + k + data.count) % data.count;
      if (data.passes[i] && folded(paths.known(i).path).includes(wanted)) return void this.#goTo(i);
    }
    this.say(`No image shown has “${text}” in its path.`);
  }

  // Colours and filters

  // Colours the images by what a key stands for; resolves to false where there is no such key.
  async colour(key, write = false) {
    const known = this.colours.choices().find(([one]) => one === key);
    if (!known) return false;
    this.wantedColour = key;
    const colouring = key.startsWith("attribute:") ? await this.colours.get(key) : this.colours.now(key);
    // Another may have been asked for while this one was loading.
    if (this.wantedColour === key) this.#colour(colouring, known[1], write);
    return true;
  }

  #colour(colouring, title, write) {
    if (this.view.colouring !== colouring) {
      this.view.colouring = colouring;
      this.find("[name=colour]").value = colouring.key;
      this.legend.show(colouring, title);
    }
    this.filter();
    if (write) this.address.write(false);
  }

  filterWrong(wrong) {
    this.data.wrongOnly = wrong;
    this.find("[name=wrong]").checked = wrong;
    this.filter();
  }

  filter() {
    const passing = this.data.filter(this.view.colouring);
    this.legend.update();
    this.box.update();
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

  // The address names the image by its path, which may have to be loaded.
  async select(i) {
    const before = this.view.selected;
    this.look(i);
    if (i === before) return;
    if (i >= 0 && !this.paths.known(i)) await this.paths.of(i);
    if (this.view.selected === i) this.address.write(true);
  }

  #describe(i) {
    const { data } = this;
    this.described = i;
    this.find(".none").hidden = i >= 0;
    this.find(".details").hidden = i < 0;
    if (i < 0) return;
    this.find(".label").textContent = data.classes[data.label[i]];
    const known = data.predicted[i] < data.classes.length - 1;
    this.find(".predicted").textContent = known ? data.classes[data.predicted[i]] : "–";
    const verdict = this.find(".verdict");
    verdict.hidden = !data.judged(i);
    verdict.textContent = data.wrong(i) ? "misclassified" : "right";
    verdict.classList.toggle("wrong", data.wrong(i));
    this.#value(i);
    this.#name(i);
    this.#portrait();
  }

  // The value of the attribute that colours it.
  #value(i) {
    const { key, titles, values, scale } = this.view.colouring;
    const shown = key.startsWith("attribute:") && !scale;
    for (const part of this.root.querySelectorAll(".attribute")) part.hidden = !shown;
    if (!shown) return;
    this.find("dt.attribute").textContent = visible(key.slice("attribute:".length));
    this.find("dd.attribute").textContent = titles[values[i]];
  }

  #name(i) {
    const known = this.paths.known(i);
    const link = this.find(".link");
    this.find(".path").replaceChildren(known ? named(known.path) : "…");
    link.textContent = known ? `image ${known.id}` : "";
    if (known) link.href = `image.html#path=${address(known.path)}`;
    else this.paths.of(i).then(() => this.described === i && this.#name(i));
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
  new MapControls(root, data, view, root.dataset.folder);
});
