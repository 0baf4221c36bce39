"use strict";
// Pages that look something up. Pages from disk may not fetch, so data come as scripts that call
// convatlas.put(name, value); a shard is loaded when it is asked for.

const convatlas = {
  waiting: new Map(),
  kept: new Map(), // what scripts of the page itself have put

  put(name, value) {
    if (this.waiting.has(name)) this.waiting.get(name)(value);
    else this.kept.set(name, value);
  },

  load(name, folder = "data/") {
    if (this.kept.has(name)) return Promise.resolve(this.kept.get(name));
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

const page = {
  find(selector) {
    return document.querySelector(selector);
  },

  say(text) {
    this.find(".say").textContent = text;
    this.find(".say").hidden = !text;
  },

  // Shows a heading and a new body, unless another thing was asked for meanwhile.
  show(heading, ...parts) {
    this.find("h1").textContent = heading;
    this.find(".here").textContent = heading;
    document.title = `${heading} · ${document.title.split(" · ").pop()}`;
    this.find(".found").replaceChildren(...parts);
    this.say("");
  },

  make(name, properties = {}, ...children) {
    const made = document.createElement(name);
    Object.assign(made, properties);
    made.append(...children);
    return made;
  },

  facts(pairs) {
    const items = pairs.flatMap(([name, value]) => [
      this.make("dt", {}, name),
      this.make("dd", {}, value instanceof Node ? value : this.make("bdi", {}, value)),
    ]);
    return this.make("dl", {}, ...items);
  },

  heading(title, chapter) {
    return this.make("h2", {}, this.make("a", { href: chapter }, title));
  },

  table(title, columns, rows) {
    const head = columns.map((column) =>
      this.make("th", { scope: "col", className: column.number ? "number" : "" }, column.name),
    );
    const body = rows.map((row) => this.make("tr", {}, ...row.map((cell, k) => this.cell(columns[k], cell))));
    const table = this.make("table", {}, this.make("thead", {}, this.make("tr", {}, ...head)), this.make("tbody", {}, ...body));
    const scroll = this.make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: title }, table);
    return [this.make("h3", {}, title), scroll];
  },

  cell(column, value) {
    if (!column.image || value === null) return this.make("td", { className: column.number ? "number" : "" }, this.make("bdi", {}, value ?? "–"));
    return this.make("td", { className: "path" }, this.image(value));
  },

  image(path) {
    return this.make("a", { href: `image.html#path=${address(path)}` }, this.make("bdi", {}, visible(path)));
  },
};
