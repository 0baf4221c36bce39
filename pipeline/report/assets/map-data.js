"use strict";
// What the map shows, without drawing: places, classes, and which images pass the filter.
// Pages from disk may not fetch, so the numbers come as a script that sets window.CONVATLAS_MAP.

const UNLABELLED = "no label";

class MapData {
  constructor(source) {
    this.count = source.n;
    this.paths = source.path;
    this.imageId = source.image_id;
    this.names = [...source.classes, ""]; // as the address has them; none is for images without a label
    this.classes = [...source.classes.map(visible), UNLABELLED];
    this.label = Int32Array.from(source.label, (label) => (label < 0 ? source.classes.length : label));
    this.predicted = source.predicted || null;
    this.colours = colours(source);
    this.shownClasses = new Uint8Array(this.classes.length).fill(1);
    this.wrongOnly = false;
    this.passes = new Uint8Array(this.count).fill(1);
    this.levels = source.levels;
    this.slots = Int32Array.from(source.slot);
    this.layouts = { map: this.#mapLayout(source), grid: this.#gridLayout(source) };
    this.x = this.layouts.map.x.slice();
    this.y = this.layouts.map.y.slice();
    this.tile = this.layouts.map.tile;
    this.spread = this.layouts.map.spread;
  }

  // Both layouts fill a square of side 1 around (0.5, 0.5). Tiles on the map lie on each other; they grow
  // slower than the distances between them (to the power 1 - spread), so that zooming in parts them.
  #mapLayout(source) {
    const [left, right] = bounds(source.x);
    const [low, high] = bounds(source.y);
    const side = Math.max(right - left, high - low) || 1;
    const place = (values, middle, sign) => Float32Array.from(values, (v) => 0.5 + (sign * (v - middle)) / side);
    return {
      x: place(source.x, (left + right) / 2, 1),
      y: place(source.y, (low + high) / 2, 1),
      tile: 0.75 / Math.sqrt(this.count),
      spread: 0.4,
    };
  }

  #gridLayout(source) {
    if (!source.gx) return null;
    const [columns, rows] = source.grid;
    const side = Math.max(columns, rows);
    const place = (values, cells) => Float32Array.from(values, (v) => 0.5 + (v + 0.5 - cells / 2) / side);
    return { x: place(source.gx, columns), y: place(source.gy, rows), tile: 0.94 / side, spread: 0 };
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
    if (!this.predicted || this.predicted[i] < 0 || this.label[i] === this.classes.length - 1) return false;
    return this.predicted[i] !== this.label[i];
  }

  filter() {
    let passing = 0;
    for (let i = 0; i < this.count; i++) {
      this.passes[i] = this.shownClasses[this.label[i]] && (!this.wrongOnly || this.wrong(i)) ? 1 : 0;
      passing += this.passes[i];
    }
    return passing;
  }

  classCounts() {
    const counts = new Int32Array(this.classes.length);
    for (const label of this.label) counts[label]++;
    return counts;
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

  // The next image that passes, in the order of the manifest.
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

// One colour a class: those of the figures, unless they repeat; then told apart by hue, and by lightness
// between neighbours. The last is for images without a label.
function colours(source) {
  const given = source.colours || [];
  if (given.length === source.classes.length && new Set(given).size === given.length) return [...given, "#9a9a9a"];
  const made = source.classes.map((_, k) => hex(((k * 137.508) % 360) / 360, 0.62, [0.5, 0.62, 0.42][k % 3]));
  return [...made, "#9a9a9a"];
}

function hex(hue, saturation, lightness) {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n) => {
    const k = (n + hue * 12) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
