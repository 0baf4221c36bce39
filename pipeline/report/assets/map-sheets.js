"use strict";
// The atlases of the map as bitmaps, image i on tile i: a picture that is drawn from an image of the page may be decoded anew in
// every frame. Few are kept; one is made a frame, so that no frame waits for several.

const KEPT_SHEETS = 64; // 4 MB each

class MapSheets {
  constructor(levels, folder) {
    this.levels = levels; // coarse tiles first
    this.folder = folder;
    this.bitmaps = new Map(); // file -> bitmap, least recently used first
    this.loading = new Set();
    this.loaded = []; // images that wait for their turn to become bitmaps
    this.paper = "";
    this.arrived = () => {};
  }

  // The coarsest level whose tiles need not be enlarged, as far as there is one.
  levelFor(pixels) {
    return this.levels.find((level) => level.tile * 1.2 >= pixels) || this.levels.at(-1);
  }

  // Gives the tiles of some images, of a level or, while that loads, of the coarsest one.
  tiles(images, level) {
    const fine = this.#sheets(images, level);
    const missing = images.some((i) => !fine.get(this.#sheetOf(i, level)));
    const coarse = this.levels[0];
    const rough = missing && level !== coarse ? this.#sheets(images, coarse) : new Map();
    return (i) =>
      this.#place(i, level, fine.get(this.#sheetOf(i, level))) || this.#place(i, coarse, rough.get(this.#sheetOf(i, coarse)));
  }

  // The finest tile of an image; null while it loads.
  finest(i) {
    const level = this.levels.at(-1);
    return this.#place(i, level, this.#bitmap(level.files[this.#sheetOf(i, level)]));
  }

  // The sheets that hold most of some images: asking for more than are kept would load them for ever.
  #sheets(images, level) {
    const counts = new Map();
    for (const i of images) {
      const number = this.#sheetOf(i, level);
      counts.set(number, (counts.get(number) || 0) + 1);
    }
    const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, KEPT_SHEETS / 2);
    return new Map(most.map(([number]) => [number, this.#bitmap(level.files[number])]));
  }

  #sheetOf(i, { columns, rows }) {
    return Math.floor(i / (columns * rows));
  }

  // Where a tile lies: its bitmap, x, y and side.
  #place(i, { columns, rows, tile }, bitmap) {
    if (!bitmap) return null;
    const at = i % (columns * rows);
    return { bitmap, x: (at % columns) * tile, y: Math.floor(at / columns) * tile, tile };
  }

  // Beside an image that is not square its tile is transparent: there the paper shows.
  ground(paper) {
    if (paper === this.paper) return;
    this.paper = paper;
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }

  #bitmap(file) {
    const bitmap = this.bitmaps.get(file);
    if (!bitmap) return this.#load(file);
    this.bitmaps.delete(file);
    this.bitmaps.set(file, bitmap);
    return bitmap;
  }

  #load(file) {
    if (this.loading.has(file)) return null;
    this.loading.add(file);
    const image = new Image();
    image.onload = () => {
      this.loaded.push([file, image]);
      if (this.loaded.length === 1) requestAnimationFrame(() => this.#next());
    };
    image.onerror = () => this.arrived();
    image.src = this.folder + encodeURIComponent(file);
    return null;
  }

  #next() {
    const [file, image] = this.loaded.shift();
    this.loading.delete(file);
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = this.paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    this.bitmaps.set(file, canvas.transferToImageBitmap());
    if (this.bitmaps.size > KEPT_SHEETS) this.#forget();
    this.arrived();
    if (this.loaded.length) requestAnimationFrame(() => this.#next());
  }

  #forget() {
    const [file, bitmap] = this.bitmaps.entries().next().value;
    bitmap.close();
    this.bitmaps.delete(file);
  }
}
