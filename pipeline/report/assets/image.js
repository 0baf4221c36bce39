"use strict";
// image.html#path=…: what is known of an image, its place on the map, and the units that it excites.

const PORTRAIT = 224; // CSS pixels
const BESIDE = 4; // images shown before and after
const STRIP = 80; // CSS pixels of an image in a strip

const images = {
  async show() {
    const [, asked] = location.hash.match(/^#path=(.*)$/) || [];
    if (!asked) return;
    const path = decoded(asked);
    this.index ??= convatlas.load("images");
    const index = await this.index;
    const shard = await convatlas.load(`images/${convatlas.bucket(path, index.shards)}`);
    const found = new Map(shard).get(path);
    if (!location.hash.endsWith(asked)) return;
    if (!found) return void page.say(`The report knows nothing of “${visible(path)}”: it is not on the map, and no unit's winner.`);
    page.show(visible(path), ...this.parts(path, found, index));
  },

  // The images before and after it along the curve in whose order they lie in the atlases: most of them are near.
  beside(slot, map) {
    const note = element("p", { className: "note" }, "Before and after it on a curve over the map, where most neighbours are alike; j and k follow it.");
    const strip = element("ol", { className: "beside" });
    this.fill(strip, slot, map).catch((error) => page.say(error.message));
    return element("section", { className: "part" }, element("h2", {}, "Beside it on the map"), note, strip);
  },

  async fill(strip, slot, map) {
    const slots = Array.from({ length: 2 * BESIDE + 1 }, (_, k) => slot + k - BESIDE).filter((one) => one >= 0 && one < map.images);
    const known = await Promise.all(slots.map((one) => this.known(one, map)));
    const items = slots.map((one, k) => {
      const link = this.link(known[k].path, one, map);
      if (one === slot) link.setAttribute("aria-current", "page");
      if (Math.abs(one - slot) === 1) link.rel = one < slot ? "prev" : "next";
      return element("li", {}, link);
    });
    strip.append(...items);
  },

  link(path, slot, map) {
    return element("a", { href: `#path=${address(path)}`, title: visible(path), ariaLabel: visible(path) }, this.portrait(slot, map, STRIP));
  },

  // The path of an image on the map, and its label's place among the classes, which are fewer where it has none.
  async known(slot, { folder, runs, classes }) {
    const [name, first] = runs.findLast(([, one]) => one <= slot);
    const run = await convatlas.load(name, folder);
    run.labels ??= unpacked(run.label, classes.length < 256 ? 8 : 16);
    return { path: run.path[slot - first], label: run.labels[slot - first] };
  },

  parts(path, found, index) {
    const parts = [];
    if (found.map && index.map) parts.push(this.place(path, found.map, index.map));
    if (found.taken) parts.push(this.taken(found.taken, index.taken));
    if (found.map && index.map?.images > 1) parts.push(this.beside(found.map[0], index.map));
    if (found.map && index.near) parts.push(nearest.part(found.map, index.map, index.near));
    if (found.most) parts.push(this.most(found.most, index.most));
    if (found.units) parts.push(this.units(found.units));
    // Made by the report's templates, every name in it escaped.
    const said = element("div");
    said.innerHTML = (found.said || []).join("");
    return [...parts, said];
  },

  place(path, [slot, id, label, predicted], map) {
    const name = (k) => (k < 0 ? "–" : named(map.classes[k]));
    const judged = label >= 0 && predicted >= 0 && !map.without_output.includes(label);
    const verdict = !judged ? "" : label === predicted ? " (right)" : " (misclassified)";
    const link = element("a", { href: `${page.find("main").dataset.map}#path=${address(path)}` }, "show it there");
    const facts = [["image", String(id)], ["label", name(label)], ["predicted", element("span", {}, name(predicted), verdict)], ["map", link]];
    return element("div", { className: "details" }, this.portrait(slot, map), page.facts(facts));
  },

  portrait(slot, { folder, atlases }, side = PORTRAIT) {
    const { columns, rows, tile, files } = atlases;
    const at = slot % (columns * rows);
    const canvas = element("canvas", { className: "portrait", width: side, height: side, role: "img", ariaLabel: "The image" });
    const sheet = new Image();
    sheet.onload = () => {
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = tile > 40;
      const left = (at % columns) * tile;
      context.drawImage(sheet, left, Math.floor(at / columns) * tile, tile, tile, 0, 0, side, side);
    };
    sheet.src = folder + address(files[Math.floor(slot / (columns * rows))]);
    return canvas;
  },

  // The first outputs, each with its probability as it is written; its length is drawn after that.
  taken(pairs, names) {
    const items = [];
    for (let k = 0; k < pairs.length; k += 2) {
      const length = `${parseFloat(pairs[k + 1].replace(/[<>]/, ""))}%`;
      const bar = element("span", { className: "length", ariaHidden: "true" }, element("i"));
      bar.firstChild.style.width = length;
      items.push(element("li", {}, element("bdi", {}, visible(names[pairs[k]])), element("span", { className: "share" }, pairs[k + 1]), bar));
    }
    const note = element("p", { className: "note" }, "The network’s first outputs for it, with their probabilities (softmax).");
    return element("section", { className: "part" }, element("h2", {}, "What the network takes it for"), note, element("ol", { className: "taken" }, ...items));
  },

  // Three numbers a unit: its layer's place, its own number, and how many images excite it at least as much.
  most(numbers, { page: chapter, of, layers }) {
    const items = [];
    for (let k = 0; k < numbers.length; k += 3) {
      const [layer, unit, rank] = numbers.slice(k, k + 3);
      const [name, address] = layers[layer];
      const link = element("a", { href: address + unit }, `${visible(name)}, unit ${unit}`);
      items.push(element("li", {}, link, ` (${rank === 1 ? "no other" : `${(rank - 1).toLocaleString("en")} other${rank === 2 ? "" : "s"}`})`));
    }
    const text = `In these units it stands highest among ${of.toLocaleString("en")} images; in brackets, how many others excite the unit as much or more.`;
    const list = element("ul", { className: "excites" }, ...items);
    return element("section", { className: "part" }, page.heading("Units that it excites most", chapter), element("p", { className: "note" }, text), list);
  },

  units(units) {
    const items = units.map(([layer, unit, rank, href]) =>
      element("li", {}, element("a", { href }, `${layer}, unit ${unit}`), ` (rank ${rank + 1})`),
    );
    const heading = element("h2", {}, "Units that it excites most");
    const note = element("p", { className: "note" }, "It is among the strongest images of these units; rank 1 is the strongest.");
    return element("section", { className: "part" }, heading, note, element("ul", { className: "excites" }, ...items));
  },
};

addEventListener("hashchange", () => images.show());
images.show().catch((error) => page.say(error.message));
