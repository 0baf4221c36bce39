"use strict";
// Data of all pages. Pages from disk may not fetch, so data come as scripts that call convatlas.put(name, value);
// a shard is loaded when it is asked for, once.

const convatlas = {
  root: document.documentElement.dataset.root,
  waiting: new Map(),
  kept: new Map(), // what scripts of the page itself have put
  asked: new Map(),

  put(name, value) {
    if (this.waiting.has(name)) this.waiting.get(name)(value);
    else this.kept.set(name, value);
  },

  load(name, folder = `${this.root}data/`) {
    if (this.kept.has(name)) return Promise.resolve(this.kept.get(name));
    if (!this.asked.has(name)) this.asked.set(name, this.script(name, folder));
    return this.asked.get(name);
  },

  script(name, folder) {
    return new Promise((resolve, reject) => {
      this.waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = `${folder}${name.split("/").map(encodeURIComponent).join("/")}.js`;
      script.onerror = () => reject(new Error(`${script.src} is missing`));
      document.head.append(script);
    });
  },

  // FNV-1a over the code units, as the report's writer has it.
  bucket(name, count) {
    let found = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) found = Math.imul(found ^ name.charCodeAt(i), 0x01000193) >>> 0;
    return found % count;
  },
};

// The whole numbers that a text of base64 holds.
function unpacked(text, bits) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return bits === 8 ? bytes : new (bits === 16 ? Uint16Array : Uint32Array)(bytes.buffer);
}
