"use strict";
// What the map can be coloured by: of each, a place in a list of colours for every image. The colours are
// those of the still pictures.

const NONE = "#9a9a9a";
const RIGHT_AND_WRONG = ["#4c86d8", "#e0702a", NONE];

class MapColours {
  constructor(data, folder) {
    Object.assign(this, { data, folder });
    this.made = new Map();
  }

  // The keys that stand in addresses, and their names.
  choices() {
    const { data } = this;
    const { source } = data;
    return [
      ...(data.anyLabelled() ? [["label", "label"]] : []),
      ["predicted", "prediction"],
      ...(data.anyJudged() ? [["right", "right and wrong"]] : []),
      ...source.attributes.map(({ name }) => [`attribute:${name}`, visible(name)]),
      ["none", "nothing"],
    ];
  }

  async get(key) {
    if (!this.made.has(key)) this.made.set(key, await this.#make(key));
    return this.made.get(key);
  }

  // Keys are known before; those of attributes wait for their values.
  now(key) {
    if (!this.made.has(key)) this.made.set(key, this.#simple(key));
    return this.made.get(key);
  }

  async #make(key) {
    const one = this.data.source.attributes.find(({ name }) => key === `attribute:${name}`);
    if (!one) return this.#simple(key);
    const packed = unpacked(await convatlas.load(one.script, this.folder), one.bits);
    if (one.words) return this.#classes(key, one.words, withNone(packed, one.bits, one.words.length), null, "no value");
    return this.#numbers(key, one, packed);
  }

  #simple(key) {
    const { data } = this;
    const { classes, colours } = data.source;
    if (key === "label") return this.#classes(key, classes, data.label, colours, "no label");
    if (key === "predicted") return this.#classes(key, classes, data.predicted, colours, "no prediction");
    if (key === "right") {
      const values = Uint16Array.from(data.label, (_, i) => (data.judged(i) ? Number(data.wrong(i)) : 2));
      return this.#colouring(key, ["right", "wrong", ""], ["right", "wrong", "not known"], RIGHT_AND_WRONG, values);
    }
    return this.#colouring("none", [""], [""], [null], new Uint16Array(data.count));
  }

  #classes(key, names, values, colours, none) {
    const given = colours || names.map((_, k) => this.data.source.sequence[k % this.data.source.sequence.length]);
    return this.#colouring(key, [...names, ""], [...names.map(visible), none], [...given, NONE], values);
  }

  // Numbers are not chosen one by one: their legend is a scale.
  #numbers(key, { low, high }, values) {
    const { scale } = this.data.source;
    const steps = Array.from({ length: 255 }, (_, step) => scale[Math.round((step / 254) * (scale.length - 1))]);
    const names = [...steps.map(String), ""];
    return { ...this.#colouring(key, names, names, [...steps, NONE], values), low, high, scale };
  }

  // `names` as addresses have them, `titles` as people read them; "" is for images without a value.
  #colouring(key, names, titles, colours, values) {
    const counts = new Int32Array(names.length);
    for (const value of values) counts[value]++;
    return { key, names, titles, colours, values, counts, shown: new Uint8Array(names.length).fill(1) };
  }
}
