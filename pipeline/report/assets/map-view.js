"use strict";
// Drawing: which part of the square is seen, dots from afar and thumbnails from near.

const DOTS_BELOW = 7; // CSS pixels of a tile; smaller thumbnails show nothing that a dot does not
const MOST_TILES = 4000; // in one frame, 4 µs each without a graphics card; more are drawn as dots
const LARGEST_TILE = 320; // CSS pixels
const STEP = 0.15; // of the map's side, for an arrow key
const OUTLINE = 0.09; // of a tile
const INKS = {
  light: { ink: "#16202b", accent: "#1d5b9e", faint: "#8b949e", paper: "#fbfbf9" },
  dark: { ink: "#e6eaef", accent: "#86bdf5", faint: "#7d8792", paper: "#14181d" },
};

class MapView {
  constructor(canvas, data, folder) {
    this.canvas = canvas;
    canvas.view = this; // for whoever looks at the page from outside, tests among them
    this.context = canvas.getContext("2d");
    this.data = data;
    this.sheets = new MapSheets(data.levels, folder);
    this.sheets.arrived = () => {
      this.request();
      canvas.dispatchEvent(new Event("atlasload"));
    };
    this.x = 0.5;
    this.y = 0.5;
    this.scale = 0;
    this.colouring = null; // of MapColours
    this.emphasised = -1; // of its classes, one that alone is shown while the legend is pointed at
    this.box = null; // two corners, in units of the map
    this.selected = -1;
    this.hovered = -1;
    this.waiting = false;
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const whole = !this.scale || Math.abs(this.scale / this.fitScale - 1) < 0.01;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.fitScale = Math.min(width, height) / (1.03 + this.data.layouts.map.tile);
    if (whole) this.fit();
    this.request();
  }

  fit() {
    this.x = this.y = 0.5;
    this.scale = this.fitScale;
    this.request();
  }

  // Side of a tile as it is drawn now, in the units of the map.
  get tile() {
    return this.data.tile * Math.min(1, this.fitScale / this.scale) ** this.data.spread;
  }

  // The scale at which a tile is so many pixels wide.
  #scaleFor(pixels) {
    const { tile, spread } = this.data;
    return Math.max(this.fitScale, (pixels / (tile * this.fitScale ** spread)) ** (1 / (1 - spread)));
  }

  toWorld(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y + (py - this.height / 2) / this.scale];
  }

  // Zooms about a point of the canvas, which stays where it is.
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [wx, wy] = this.toWorld(px, py);
    this.scale = Math.min(this.#scaleFor(LARGEST_TILE), Math.max(this.fitScale / 2, this.scale * factor));
    this.x = wx - (px - this.width / 2) / this.scale;
    this.y = wy - (py - this.height / 2) / this.scale;
    this.#keepInSight();
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.#keepInSight();
  }

  #keepInSight() {
    this.x = Math.min(1, Math.max(0, this.x));
    this.y = Math.min(1, Math.max(0, this.y));
    this.request();
  }

  // Brings an image to the middle, large enough to be seen.
  centre(i, pixels = 56) {
    this.x = this.data.x[i];
    this.y = this.data.y[i];
    this.scale = Math.max(this.scale, this.#scaleFor(pixels));
    this.request();
  }

  // Shows a place at so many times the scale at which the whole is seen.
  look(x, y, zoom) {
    this.scale = Math.min(this.#scaleFor(LARGEST_TILE), Math.max(this.fitScale / 2, zoom * this.fitScale));
    [this.x, this.y] = [x, y];
    this.#keepInSight();
  }

  // By the keys of the canvas: those that move over the map, and the page's own, each with its action.
  steer(own) {
    const far = () => Math.min(this.width, this.height) * STEP;
    const actions = {
      ArrowLeft: () => this.pan(far(), 0),
      ArrowRight: () => this.pan(-far(), 0),
      ArrowUp: () => this.pan(0, far()),
      ArrowDown: () => this.pan(0, -far()),
      "+": () => this.zoom(1.4),
      "=": () => this.zoom(1.4),
      "-": () => this.zoom(1 / 1.4),
      0: () => this.fit(),
      ...own,
    };
    this.canvas.addEventListener("keydown", (event) => {
      const action = actions[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
  }

  request() {
    this.moved?.();
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.width) this.draw();
    });
  }

  draw() {
    this.sheets.ground(this.#ink("paper"));
    const seen = this.#seen();
    const pixels = this.tile * this.scale;
    if (pixels < DOTS_BELOW || seen.length > MOST_TILES) this.#drawDots(seen, pixels);
    else this.#drawTiles(seen, pixels);
    for (const i of [this.hovered, this.selected]) if (i >= 0) this.#drawMarked(i, pixels);
    if (this.box) this.#drawBox(...this.box);
  }

  #drawBox(x0, y0, x1, y1) {
    const { context } = this;
    const across = (x) => (x - this.x) * this.scale + this.width / 2;
    const down = (y) => (y - this.y) * this.scale + this.height / 2;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.lineWidth = 2;
    context.strokeStyle = this.#ink("ink");
    context.setLineDash([6, 4]);
    context.strokeRect(across(x0), down(y0), across(x1) - across(x0), down(y1) - down(y0));
    context.setLineDash([]);
  }

  #seen() {
    const { data } = this;
    const reachX = this.width / 2 / this.scale + this.tile;
    const reachY = this.height / 2 / this.scale + this.tile;
    const found = [];
    for (let i = 0; i < data.count; i++) {
      if (Math.abs(data.x[i] - this.x) < reachX && Math.abs(data.y[i] - this.y) < reachY) found.push(i);
    }
    return found;
  }

  // 100,000 dots go into one pixel buffer: a hundred times quicker than as many calls of fillRect.
  #drawDots(seen, pixels) {
    const { data, canvas } = this;
    const image = this.#blank();
    const buffer = new Uint32Array(image.data.buffer);
    const side = Math.max(2, Math.round(Math.min(pixels * 0.8, 6) * this.ratio));
    const { colours, values } = this.colouring;
    const palette = colours.map((colour) => packed(colour || this.#ink("accent"), 255));
    const faded = packed(this.#ink("faint"), 90);
    for (const passing of [false, true]) {
      for (const i of seen) {
        if (this.#shows(i) !== passing) continue;
        const left = Math.round(((data.x[i] - this.x) * this.scale + this.width / 2) * this.ratio - side / 2);
        const top = Math.round(((data.y[i] - this.y) * this.scale + this.height / 2) * this.ratio - side / 2);
        const colour = passing ? palette[values[i]] : faded;
        const right = Math.min(canvas.width, left + side);
        const bottom = Math.min(canvas.height, top + side);
        for (let row = Math.max(0, top); row < bottom; row++) {
          buffer.fill(colour, row * canvas.width + Math.max(0, left), row * canvas.width + Math.max(0, right));
        }
      }
    }
    this.context.putImageData(image, 0, 0);
  }

  // An empty picture as large as the canvas, the same one in every frame.
  #blank() {
    const { width, height } = this.canvas;
    if (this.dots?.width === width && this.dots.height === height) this.dots.data.fill(0);
    else this.dots = this.context.createImageData(width, height);
    return this.dots;
  }

  #drawTiles(seen, pixels) {
    const { context } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const level = this.sheets.levelFor(pixels * this.ratio);
    context.imageSmoothingEnabled = pixels < level.tile * 1.5;
    context.fillStyle = this.#ink("faint");
    context.globalAlpha = 0.35;
    for (const i of seen) if (!this.#shows(i)) this.#square(i, Math.min(4, pixels * 0.3));
    context.globalAlpha = 1;
    const passing = seen.filter((i) => this.#shows(i));
    const tile = this.sheets.tiles(passing, level);
    for (const i of passing) this.#tile(i, pixels, tile(i));
  }

  #tile(i, pixels, found) {
    const colour = this.#colour(i);
    const edge = colour ? Math.max(1, pixels * OUTLINE) : 0;
    this.context.fillStyle = colour || this.#ink("faint");
    if (colour || !found) this.#square(i, pixels);
    if (found) this.#thumbnail(found, ...this.#corner(i, pixels - 2 * edge), pixels - 2 * edge);
  }

  #thumbnail({ bitmap, x, y, tile }, left, top, side) {
    this.context.drawImage(bitmap, x, y, tile, tile, left, top, side, side);
  }

  #square(i, side) {
    this.context.fillRect(...this.#corner(i, side), side, side);
  }

  #corner(i, side) {
    const x = (this.data.x[i] - this.x) * this.scale + this.width / 2 - side / 2;
    const y = (this.data.y[i] - this.y) * this.scale + this.height / 2 - side / 2;
    return [x, y];
  }

  #drawMarked(i, pixels) {
    const { context } = this;
    const side = Math.max(pixels * 1.3, 26);
    const [x, y] = this.#corner(i, side);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = this.#colour(i) || this.#ink("accent");
    context.fillRect(x - 3, y - 3, side + 6, side + 6);
    const found = this.sheets.finest(i);
    if (found) this.#thumbnail(found, x, y, side);
    context.lineWidth = i === this.selected ? 3 : 1.5;
    context.strokeStyle = this.#ink("ink");
    context.strokeRect(x - 4.5, y - 4.5, side + 9, side + 9);
  }

  // Draws an image into another canvas; false while its atlas is loading.
  portrait(canvas, i) {
    const found = this.sheets.finest(i);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!found) return false;
    const { bitmap, x, y, tile } = found;
    context.imageSmoothingEnabled = tile > 40;
    context.drawImage(bitmap, x, y, tile, tile, 0, 0, canvas.width, canvas.height);
    return true;
  }

  #shows(i) {
    return !!this.data.passes[i] && (this.emphasised < 0 || this.colouring.values[i] === this.emphasised);
  }

  // Null where images are coloured by nothing.
  #colour(i) {
    return this.colouring.colours[this.colouring.values[i]];
  }

  #ink(name) {
    return INKS[site.dark() ? "dark" : "light"][name];
  }
}

function packed(colour, alpha) {
  const value = parseInt(colour.slice(1), 16);
  // The bytes of a pixel lie red first: on a little-endian machine red is the lowest byte.
  return ((alpha << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}
