"use strict";
// What the map shows, without drawing: places, classes, and which images pass the filter.
// Pages from disk may not fetch, so the numbers come as a script that sets window.CONVATLAS_MAP.

class MapData {
  constructor(source) {
    this.source = source;
    this.count = source.n;
    const none = source.classes.length;
    const bits = none < 256 ? 8 : 16;
    this.classes = [...source.classes.map(visible), "no label"];
    this.label = withNone(unpacked(source.label, bits), bits, none);
    this.predicted = withNone(unpacked(source.predicted, bits), bits, none);
    this.withoutOutput = new Set(source.without_output);
    this.wrongOnly = false;
    this.passes = new Uint8Array(this.count).fill(1);
    this.levels = source.levels;
    this.layouts = { map: this.#mapLayout(), grid: this.#gridLayout() };
    this.x = this.layouts.map.x.slice();
    this.y = this.layouts.map.y.slice();
    this.tile = this.layouts.map.tile;
    this.spread = this.layouts.map.spread;
  }

  // Both layouts fill a square of side 1 around (0.5, 0.5). Tiles on the map lie on each other; they grow
  // slower than the distances between them (to the power 1 - spread), so that zooming in parts them.
  #mapLayout() {
    const [sx, sy] = [unpacked(this.source.x, 16), unpacked(this.source.y, 16)];
    const [left, right] = bounds(sx);
    const [low, high] = bounds(sy);
    const side = Math.max(right - left, high - low) || 1;
    const place = (values, middle) => Float32Array.from(values, (v) => 0.5 + (v - middle) / side);
    return {
      x: place(sx, (left + right) / 2),
      y: place(sy, (low + high) / 2),
      tile: 0.75 / Math.sqrt(this.count),
      spread: 0.4,
    };
  }

  #gridLayout() {
    const [columns, rows] = this.source.grid;
    const side = Math.max(columns, rows);
    const place = (text, cells) => Float32Array.from(unpacked(text, 16), (v) => 0.5 + (v + 0.5 - cells / 2) / side);
    return { x: place(this.source.gx, columns), y: place(this.source.gy, rows), tile: 0.94 / side, spread: 0 };
  }

  // share runs from 0 (where the images were) to 1 (where they belong in the layout).
  blend(from, layout, share) {
    const ease = share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) * (1 - share);
    for (let i = 0; i < this.count; i++) {
      this.x[i] = from.x[i] + ease * (layout.x[i] - from.x[i]);
      this.y[i] = from.y[i] + ease * (layout.y[i] - from.y[i]);
    }
    this.tile = from.tile + ease * (layout.tile - from.tile);
    this.spread = from.spread + ease * (layout.spread - from.spread);
  }

  wrong(i) {
    return this.judged(i) && this.predicted[i] !== this.label[i];
  }

  // Whether it is known if the network is right.
  judged(i) {
    const none = this.classes.length - 1;
    return this.predicted[i] !== none && this.label[i] !== none && !this.withoutOutput.has(this.label[i]);
  }

  anyLabelled() {
    return this.label.some((label) => label < this.source.classes.length);
  }

  anyJudged() {
    return this.label.some((_, i) => this.judged(i));
  }

  filter(colouring) {
    let passing = 0;
    for (let i = 0; i < this.count; i++) {
      this.passes[i] = colouring.shown[colouring.values[i]] && (!this.wrongOnly || this.wrong(i)) ? 1 : 0;
      passing += this.passes[i];
    }
    return passing;
  }

  // The image whose tile covers a place, the last drawn first; else the nearest within reach.
  at(x, y, tile, reach) {
    let nearest = -1;
    let best = reach * reach;
    const half = tile / 2;
    for (let i = this.count - 1; i >= 0; i--) {
      if (!this.passes[i]) continue;
      const dx = Math.abs(this.x[i] - x);
      const dy = Math.abs(this.y[i] - y);
      if (dx <= half && dy <= half) return i;
      const distance = dx * dx + dy * dy;
      if (distance < best) [best, nearest] = [distance, i];
    }
    return nearest;
  }

  // The next image that passes, along a curve over the map.
  step(i, direction) {
    for (let k = 1; k <= this.count; k++) {
      const next = (((i + direction * k) % this.count) + this.count) % this.count;
      if (this.passes[next]) return next;
    }
    return -1;
  }
}

function bounds(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// The largest number stands for none; it becomes the place behind the last.
function withNone(values, bits, none) {
  const largest = 2 ** bits - 1;
  return Uint16Array.from(values, (value) => (value === largest ? none : value));
}

// Paths and numbers of images lie in scripts of some thousands, which are loaded when they are asked for.
class MapPaths {
  constructor(source, folder) {
    Object.assign(this, { source, folder });
    // Few paths are loaded with the page.
    this.runs = source.paths.map((name) => convatlas.kept.get(name) || null);
    this.loading = [];
  }

  // What is known of an image: its path and its number; null until its script is there.
  known(i) {
    const run = this.#runOf(i);
    const at = i - this.source.first[run];
    return this.runs[run] && { path: this.runs[run].path[at], id: this.runs[run].id[at] };
  }

  async of(i) {
    await this.#load(this.#runOf(i));
    return this.known(i);
  }

  all() {
    return Promise.all(this.runs.map((_, run) => this.#load(run)));
  }

  // Whether all scripts are loaded.
  get complete() {
    return this.runs.every(Boolean);
  }

  // The point of a path, as far as its script is loaded; else -1.
  loaded(path) {
    for (const [run, loaded] of this.runs.entries()) {
      const at = loaded ? loaded.path.indexOf(path) : -1;
      if (at >= 0) return this.source.first[run] + at;
    }
    return -1;
  }

  // The point of a path, -1 where it is not on the map: the data of the page of images know it by the path.
  async find(path) {
    const index = await convatlas.load("images");
    const record = new Map(await convatlas.load(`images/${convatlas.bucket(path, index.shards)}`)).get(path);
    return record?.map && index.map.folder === this.folder ? record.map[0] : -1;
  }

  #runOf(i) {
    return this.source.first.findLastIndex((first) => first <= i);
  }

  async #load(run) {
    // Asked for twice, a script is loaded once.
    this.loading[run] ??= convatlas.load(this.source.paths[run], this.folder);
    this.runs[run] = await this.loading[run];
  }
}
