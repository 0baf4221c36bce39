"use strict";
// A box on the map, drawn with Shift and the mouse, with Shift and the arrow keys, or with a finger once the button
// is pressed: what lies in it is counted and listed, and goes out as CSV.

const LISTED = 40; // images that are named; the CSV has all
const KINDS = 6; // colours that are counted one by one
const STRIDE = 0.06; // of the canvas: what an arrow moves the box's corner
const SMALLEST = 6; // CSS pixels; less is a click

class MapBox {
  constructor(controls) {
    const { root, data, view, paths } = controls;
    Object.assign(this, { controls, root, data, view, paths });
    this.section = root.querySelector(".boxed");
    this.button = root.querySelector("[data-do=box]");
    this.button.addEventListener("click", () => this.#arm(!this.armed));
    this.#find("[data-do=csv]").addEventListener("click", () => this.#save());
    this.#find("[data-do=drop]").addEventListener("click", () => this.set(null, true));
    this.#listen(view.canvas);
  }

  #find(selector) {
    return this.section.querySelector(selector);
  }

  // These listen before those that move the map, and keep from them what is the box's.
  #listen(canvas) {
    const take = (kind, action) => canvas.addEventListener(kind, (event) => action(event) && event.stopImmediatePropagation());
    take("pointerdown", (event) => (event.shiftKey || this.armed) && this.#begin(event));
    take("pointermove", (event) => event.pointerId === this.pointer && this.#stretch(event));
    for (const end of ["pointerup", "pointercancel"]) take(end, (event) => event.pointerId === this.pointer && this.#end());
    take("keydown", (event) => this.#press(event));
  }

  #begin(event) {
    this.view.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    const corner = this.view.toWorld(event.offsetX, event.offsetY);
    this.#draw([...corner, ...corner]);
    return true;
  }

  #stretch(event) {
    this.#draw([...this.view.box.slice(0, 2), ...this.view.toWorld(event.offsetX, event.offsetY)]);
    return true;
  }

  #end() {
    this.pointer = undefined;
    this.#arm(false);
    const [x0, y0, x1, y1] = this.view.box;
    const side = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)) * this.view.scale;
    this.set(side < SMALLEST ? null : this.view.box, true);
    return true;
  }

  #press(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [];
    const drops = event.key === "Escape" && this.view.box;
    if (!drops && (!event.shiftKey || dx === undefined)) return false;
    event.preventDefault();
    if (drops) this.set(null, true);
    else this.#grow(dx, dy);
    return true;
  }

  // The corner opposite to the one that was set first, in the middle of what is seen.
  #grow(dx, dy) {
    const { view } = this;
    const [x0, y0, x1, y1] = view.box || [view.x, view.y, view.x, view.y];
    const stride = (STRIDE * Math.min(view.width, view.height)) / view.scale;
    // A box is one step of the history, however many keys it took.
    this.set([x0, y0, x1 + dx * stride, y1 + dy * stride], !view.box);
  }

  #arm(armed) {
    this.armed = armed;
    this.button.setAttribute("aria-pressed", String(armed));
    this.view.canvas.style.cursor = armed ? "crosshair" : "grab";
  }

  #draw(box) {
    this.view.box = box;
    this.view.request();
  }

  // Sets the box, two corners in units of the map, or takes it away.
  set(box, step = false) {
    this.#draw(box);
    this.update();
    this.controls.address?.write(step);
  }

  // The images in the box, as they are arranged, that pass the filter.
  #inside() {
    if (!this.view.box) return [];
    const { x, y } = this.data.layouts[this.controls.layout];
    const [x0, y0, x1, y1] = this.view.box;
    const [left, right, top, bottom] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
    const found = [];
    for (let i = 0; i < this.data.count; i++) {
      if (this.data.passes[i] && x[i] >= left && x[i] <= right && y[i] >= top && y[i] <= bottom) found.push(i);
    }
    return found;
  }

  // After the box, the filter or the colours changed.
  update() {
    this.section.hidden = !this.view.box;
    this.images = this.#inside();
    if (!this.view.box) return;
    this.#find("[role=status]").textContent = this.#said();
    this.#find("[data-do=csv]").hidden = !this.images.length;
    this.#find(".kinds").replaceChildren(...this.#kinds());
    this.#list(this.images);
  }

  #said() {
    const { images, data } = this;
    const count = (n, what) => `${n.toLocaleString("en")} ${what}`;
    const judged = images.filter((i) => data.judged(i));
    const wrong = judged.filter((i) => data.wrong(i)).length;
    const said = `${count(images.length, images.length === 1 ? "image" : "images")} in the box`;
    return judged.length ? `${said}, ${count(judged.length - wrong, "right")}, ${count(wrong, "wrong")}` : said;
  }

  // How many there are of each colour, the most frequent first.
  #kinds() {
    const { titles, colours, values, scale } = this.view.colouring;
    if (scale || titles.length < 2) return [];
    const counts = new Map();
    for (const i of this.images) counts.set(values[i], (counts.get(values[i]) || 0) + 1);
    const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
    const items = sorted.slice(0, KINDS).map(([k, n]) => {
      const swatch = element("span", { className: "swatch" });
      swatch.style.background = colours[k];
      return element("li", {}, swatch, element("bdi", {}, titles[k]), element("span", { className: "count" }, n.toLocaleString("en")));
    });
    if (sorted.length > KINDS) items.push(element("li", {}, `and ${(sorted.length - KINDS).toLocaleString("en")} more`));
    return items;
  }

  async #list(images) {
    const listed = images.slice(0, LISTED);
    const known = await Promise.all(listed.map((i) => this.paths.of(i)));
    // Another box may have been drawn while paths were loading.
    if (images !== this.images) return;
    const items = known.map(({ path }) => element("li", {}, element("a", { href: `image.html#path=${address(path)}` }, named(path))));
    if (images.length > LISTED) items.push(element("li", {}, `and ${(images.length - LISTED).toLocaleString("en")} more, all of them in the CSV`));
    this.#find("ol").replaceChildren(...items);
  }

  async #save() {
    await this.paths.all();
    const name = (k) => this.data.source.classes[k] ?? "";
    const rows = this.images.map((i) => {
      const { path, id } = this.paths.known(i);
      return [String(id), path, name(this.data.label[i]), name(this.data.predicted[i])];
    });
    saveTable("images.csv", [["image_id", "path", "label", "predicted"], ...rows]);
  }
}
