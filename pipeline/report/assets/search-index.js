"use strict";
// What can be found: chapters, sections, layers, units, classes from one script; images from shards of their
// paths, which are loaded with the first search. Names are compared without case and diacritics.

const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };

// A text as it is compared; what is combined with a letter, in whatever script it is shared, falls away.
function folded(text) {
  const lower = text.toLowerCase();
  if (/^[\x00-\x7f]*$/.test(lower)) return lower;
  const bare = lower.normalize("NFKD").replace(/\p{Script=Inherited}/gu, "");
  return bare.replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter]);
}

// How well a text has all words: 0 is the text itself, 1 begins with the first, 2 has it after a sign, 3 has all
// somewhere; -1 has not.
function fit(text, words) {
  for (const word of words) if (!text.includes(word)) return -1;
  if (words.length === 1 && text === words[0]) return 0;
  const at = text.indexOf(words[0]);
  return at === 0 ? 1 : /[\p{L}\p{N}]/u.test(text[at - 1]) ? 3 : 2;
}

// The best of some folded texts: their places, and how many there are in all.
function best(texts, words, most) {
  const found = [[], [], [], []];
  let count = 0;
  texts.forEach((text, k) => {
    const rank = fit(text, words);
    if (rank < 0) return;
    count++;
    if (found[rank].length < most) found[rank].push(k);
  });
  return { places: found.flat().slice(0, most), count };
}

class SearchIndex {
  // Most that is listed of each kind.
  static MOST = { sections: 6, layers: 6, units: 8, classes: 8, images: 12 };

  constructor(source) {
    this.source = source;
    this.sections = source.sections.map(([title, , chapter]) => folded(`${title} ${chapter}`));
    this.layers = source.layers.map(([name]) => folded(name));
    this.classes = source.classes.map(folded);
    this.paths = [];
    this.folded = [];
  }

  // Loads the paths of all images, once.
  images() {
    this.loading ??= Promise.all(
      Array.from({ length: this.source.shards }, (_, k) => convatlas.load(`search/${k}`)),
    ).then((shards) => {
      for (const shard of shards) this.#add(shard);
      this.complete = true;
    });
    return this.loading;
  }

  // Of each path how many letters it shares with the one before, and the rest.
  #add(shard) {
    let path = "";
    for (let k = 0; k < shard.length; k += 2) {
      path = path.slice(0, shard[k]) + shard[k + 1];
      this.paths.push(path);
      this.folded.push(folded(path));
    }
  }

  // Groups of what a text finds: a title, how many there are in all, and name and address of the best.
  find(text) {
    const words = folded(text).split(/\s+/).filter(Boolean);
    if (!words.length) return [this.#chapters()];
    const groups = [this.#units(words), this.#layers(words), this.#classes(words), this.#images(words), this.#sections(words)];
    return groups.filter(({ hits }) => hits.length);
  }

  #chapters() {
    const chapters = this.source.sections.filter(([, , chapter]) => !chapter);
    return { title: "Chapters", count: chapters.length, hits: chapters.map(([title, page]) => [title, page]) };
  }

  #group(title, texts, words, most, hit) {
    const { places, count } = best(texts, words, most);
    return { title, count, hits: places.map(hit) };
  }

  // A number at the end is a unit's, in each layer that has the other words.
  #units(words) {
    const [, before, number] = words.join(" ").match(/^(.*?)(?:^|[\s/#])(?:unit )?(\d+)$/) || [];
    if (number === undefined) return { hits: [] };
    const unit = Number(number);
    const wanted = before.split(" ").filter((word) => word && word !== "unit");
    const layers = this.source.layers.filter(([, , units], k) => unit < units && fit(this.layers[k], wanted.length ? wanted : [""]) >= 0);
    const hits = layers.slice(0, SearchIndex.MOST.units).map(([name]) => [
      `${visible(name)}, unit ${unit}`, `unit.html#${encodeURIComponent(name)}/${unit}`,
    ]);
    return { title: "Units", count: layers.length, hits };
  }

  #layers(words) {
    return this.#group("Layers", this.layers, words, SearchIndex.MOST.layers, (k) => {
      const [name, page, units] = this.source.layers[k];
      return [visible(name), page, units ? `${units.toLocaleString("en")} ${units === 1 ? "unit" : "units"}` : ""];
    });
  }

  #classes(words) {
    return this.#group("Classes on the map", this.classes, words, SearchIndex.MOST.classes, (k) => {
      const name = this.source.classes[k];
      return [visible(name), `${this.source.map}#class=${encodeURIComponent(name)}`];
    });
  }

  #images(words) {
    return this.#group("Images", this.folded, words, SearchIndex.MOST.images, (k) => [
      visible(this.paths[k]), `image.html#path=${address(this.paths[k])}`,
    ]);
  }

  #sections(words) {
    return this.#group("Sections", this.sections, words, SearchIndex.MOST.sections, (k) => this.source.sections[k]);
  }
}
