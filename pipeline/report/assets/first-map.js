"use strict";
// The map on the first page: a picture at first, alive once the page is idle and the map in sight, or once it is
// pointed at. It is looked about in here; all else that the map can do is on its own page, to which a click leads.

const PARTS = ["map-data", "map-colours", "map-sheets", "map-view"];
const STILL_A_CLICK = 4; // CSS pixels that a pointer may travel
const REACH = 14; // CSS pixels beside a tile that still hit it

class FirstMap {
  constructor(link, data, view, colours) {
    Object.assign(this, { link, data, view });
    this.told = document.querySelector(".first-map .told");
    this.paths = new MapPaths(data.source, link.dataset.folder);
    const labelled = data.label.some((label) => label < data.source.classes.length);
    view.colouring = colours.now(labelled ? "label" : "predicted");
    data.filter(view.colouring);
    this.#pointer();
    view.steer({ Enter: () => this.#follow(data.at(view.x, view.y, view.tile, Infinity)) });
    this.#curtain();
    document.addEventListener("themechange", () => view.request());
    view.resize();
  }

  // The picture is drawn back while the map is looked at, and for good once it no longer shows the whole.
  #curtain() {
    const { canvas } = this.view;
    const draw = (looked) => {
      const whole = Math.abs(this.view.scale / this.view.fitScale - 1) < 0.01;
      canvas.parentElement.classList.toggle("looked-at", looked || !whole);
    };
    for (const event of ["pointerenter", "focus", "pointerdown"]) canvas.addEventListener(event, () => draw(true));
    for (const event of ["pointerleave", "blur"]) canvas.addEventListener(event, () => draw(document.activeElement === canvas));
  }

  #pointer() {
    const { canvas } = this.view;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.travelled = 0;
      this.last = event;
    });
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => {
      if (this.last && this.travelled <= STILL_A_CLICK) this.#follow(this.#under(event));
      this.last = null;
    });
    canvas.addEventListener("pointercancel", () => (this.last = null));
    canvas.addEventListener("pointerleave", () => this.#tell(-1));
    // A page that is being scrolled is not to be caught by a map on its way.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
      event.preventDefault();
      this.view.zoom(Math.exp(-Math.max(-240, Math.min(240, event.deltaY)) / 400), event.offsetX, event.offsetY);
    });
  }

  #move(event) {
    if (!this.last) return void (event.pointerType === "mouse" && this.#tell(this.#under(event)));
    const [dx, dy] = [event.clientX - this.last.clientX, event.clientY - this.last.clientY];
    this.travelled += Math.abs(dx) + Math.abs(dy);
    this.last = event;
    if (this.travelled > STILL_A_CLICK) this.view.pan(dx, dy);
  }

  #under(event) {
    const [x, y] = this.view.toWorld(event.offsetX, event.offsetY);
    return this.data.at(x, y, this.view.tile, REACH / this.view.scale);
  }

  #tell(i) {
    if (i === this.view.hovered) return;
    this.view.hovered = i;
    this.view.request();
    const { data } = this;
    const none = data.classes.length - 1;
    const said = i < 0 || data.predicted[i] === none ? "" : ` → ${data.classes[data.predicted[i]]}`;
    this.told.textContent = i < 0 ? "" : `${data.classes[data.label[i]]}${said}`;
  }

  // Leads to the image on the map's own page; beside all images, to that page.
  async #follow(i) {
    const path = i < 0 ? "" : `#path=${address((await this.paths.of(i)).path)}`;
    location.href = this.link.getAttribute("href") + path;
  }
}

const firstMap = {
  async wake(link) {
    if (this.awake) return;
    this.awake = true;
    const scripts = [...PARTS.map((name) => `assets/${name}.js`), ...link.dataset.scripts.split(" ")];
    await Promise.all(scripts.map((script) => this.load(script)));
    const canvas = document.createElement("canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    const alt = link.querySelector("img")?.alt || "Map of the images";
    canvas.setAttribute("aria-label", `${alt}. Arrow keys move, plus and minus zoom, 0 shows the whole, Enter opens the image in the middle on the map’s own page.`);
    // A link may hold no other thing that takes the focus. The picture stays in front until the map is touched:
    // small as it is here, the whole of a large map would be dots.
    const box = document.createElement("div");
    box.className = link.className;
    box.append(canvas, ...link.childNodes);
    link.replaceWith(box);
    const data = new MapData(window.CONVATLAS_MAP);
    const view = new MapView(canvas, data, link.dataset.folder);
    canvas.first = new FirstMap(link, data, view, new MapColours(data, link.dataset.folder));
  },

  // Scripts that are put into a page run in their order if they are not asynchronous.
  load(source) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.async = false;
      script.src = source;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${source} is missing`));
      document.head.append(script);
    });
  },

  watch(link) {
    for (const event of ["pointerenter", "focus"]) link.addEventListener(event, () => this.wake(link), { once: true });
    if (!("atOnce" in link.dataset)) return;
    const idle = window.requestIdleCallback || ((action) => setTimeout(action, 200));
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      idle(() => this.wake(link));
    });
    addEventListener("load", () => seen.observe(link));
  },
};

{
  const link = document.querySelector(".first-map a.still");
  if (link) firstMap.watch(link);
}
