"use strict";
// unit.html#layer/unit: the numbers of a unit that was not drawn.

const units = {
  async show() {
    const asked = location.hash.slice(1);
    const [, name, number] = asked.match(/^(.*)\/(\d+)$/) || [];
    if (!name) return;
    this.index ??= convatlas.load("units");
    const index = new Map(await this.index);
    const layer = index.get(decoded(name));
    const unit = Number(number);
    if (!layer) return void page.say(`The report knows no layer “${visible(decoded(name))}”.`);
    this.lead(decoded(name), layer);
    if (layer.units !== null && unit >= layer.units) {
      const counted = layer.units === 1 ? "1 unit, number 0" : `${layer.units.toLocaleString("en")} units, from 0 to ${layer.units - 1}`;
      return void page.say(`${decoded(name)} has ${counted}.`);
    }
    // The drawn unit's own page has all of this and its pictures.
    if (layer.drawn.includes(unit)) return void location.replace(`${layer.folder}/${unit}.html`);
    const said = await this.record(layer, unit);
    if (location.hash.slice(1) === asked) this.fill(decoded(name), unit, layer, said, index);
  },

  lead(name, layer) {
    const link = page.find(".crumbs .layer");
    link.href = layer.page;
    link.textContent = name;
  },

  async record(layer, unit) {
    const shard = layer.firsts.findLastIndex((first) => first <= unit);
    return shard < 0 ? null : new Map(await convatlas.load(`${layer.folder}/${shard}`)).get(unit) || null;
  },

  fill(name, unit, layer, said, index) {
    const parts = [element("p", { className: "note" }, layer.geometry), this.steps(name, unit, layer)];
    for (const [k, section] of layer.sections.entries()) {
      if (!said?.[k]) continue;
      const [facts, rows, histogram, groups] = said[k];
      const known = facts.map((value, i) => [section.facts[i], value]).filter(([, value]) => value !== null);
      const table = rows.length ? page.table(section.table.title, section.table.columns, rows) : [];
      const heading = page.heading(section.title, section.chapter);
      parts.push(element("section", { className: "part" }, heading, ...this.histogram(section, histogram), page.facts(known), ...this.related(section, groups, index), ...table));
    }
    parts.push(element("p", { className: "notice" }, this.how(said)));
    page.show(`${name}, unit ${unit}`, ...parts);
    page.find(".here").textContent = `unit ${unit}`;
  },

  histogram(section, histogram) {
    if (!histogram) return [];
    const [bars, low, high, n] = histogram;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS(svg.namespaceURI, "path");
    const about = { viewBox: "0 0 400 100", preserveAspectRatio: "none", role: "img", "aria-label": section.histogram };
    for (const [name, value] of Object.entries(about)) svg.setAttribute(name, value);
    path.setAttribute("d", bars);
    path.setAttribute("class", "bars");
    svg.append(path);
    const ends = [low, `n = ${n}`, high].map((text) => element("span", {}, text));
    const note = element("figcaption", {}, "Heights are logarithmic.");
    return [element("figure", { className: "histogram" }, element("h3", {}, section.histogram), svg, element("p", { className: "ends" }, ...ends), note)];
  },

  related(section, groups, index) {
    return groups.flatMap((group, k) => {
      if (!group.length) return [];
      const items = group.map(([layer, unit, value]) =>
        element("li", {}, element("a", { href: this.address(layer, unit, index) }, `${visible(layer)}, unit ${unit}`), ` ${value}`),
      );
      return [element("h3", {}, section.related[k]), element("ul", { className: "excites" }, ...items)];
    });
  },

  address(name, unit, index) {
    const layer = index.get(name);
    return layer?.drawn.includes(unit) ? `${layer.folder}/${unit}.html` : `#${encodeURIComponent(name)}/${unit}`;
  },

  steps(name, unit, layer) {
    const lead = (other, rel, text) =>
      element("a", { rel, href: `#${encodeURIComponent(name)}/${other}` }, text);
    const links = [];
    if (unit > 0) links.push(lead(unit - 1, "prev", `← unit ${unit - 1}`));
    if (unit + 1 < layer.units) links.push(lead(unit + 1, "next", `unit ${unit + 1} →`));
    return element("nav", { className: "steps", ariaLabel: "Units" }, ...links);
  },

  how(said) {
    const known = said ? "These are its numbers; it was not drawn." : "This unit was not drawn.";
    return `${known} To draw it, let patches.layers and patches.units in params.yaml take it in, and run the pipeline again.`;
  },
};

addEventListener("hashchange", () => units.show());
units.show().catch((error) => page.say(error.message));
