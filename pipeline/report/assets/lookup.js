"use strict";
// What pages that look something up are made of.

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
    this.find("h1").replaceChildren(named(heading));
    this.find(".here").replaceChildren(named(heading));
    document.title = `${heading} · ${document.title.split(" · ").pop()}`;
    this.find(".found").replaceChildren(...parts);
    this.say("");
  },

  facts(pairs) {
    const items = pairs.flatMap(([name, value]) => [
      element("dt", {}, name),
      element("dd", {}, value instanceof Node ? value : element("bdi", {}, value)),
    ]);
    return element("dl", {}, ...items);
  },

  heading(title, chapter) {
    return element("h2", {}, element("a", { href: chapter }, title));
  },

  table(title, columns, rows) {
    const head = columns.map((column) =>
      element("th", { scope: "col", className: column.number ? "number" : "" }, column.name),
    );
    const body = rows.map((row) => element("tr", {}, ...row.map((cell, k) => this.cell(columns[k], cell))));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
    const scroll = element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: title }, table);
    return [element("h3", {}, title), scroll];
  },

  cell(column, value) {
    if (!column.image || value === null) return element("td", { className: column.number ? "number" : "" }, element("bdi", {}, value ?? "–"));
    return element("td", { className: "path" }, this.image(value));
  },

  image(path) {
    return element("a", { href: `image.html#path=${address(path)}` }, named(path));
  },
};
