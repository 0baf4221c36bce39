"use strict";
// unit.html#layer/unit: the numbers of a unit that was not drawn.

const units = {
  async show() {
    const asked = location.hash.slice(1);
    const [, name, number] = asked.match(/^(.*)\/(\d+)$/) || [];
    if (!name) return;
    this.index ??= convatlas.load("units");
    const layer = new Map(await this.index).get(decoded(name));
    const unit = Number(number);
    if (!layer) return void page.say(`The report knows no layer “${visible(decoded(name))}”.`);
    this.lead(decoded(name), layer);
    if (layer.units !== null && unit >= layer.units) {
      return void page.say(`${decoded(name)} has ${layer.units.toLocaleString("en")} units, from 0 to ${layer.units - 1}.`);
    }
    // The drawn unit's own page has all of this and its pictures.
    if (layer.drawn.includes(unit)) return void location.replace(`${layer.folder}/${unit}.html`);
    const said = await this.record(layer, unit);
    if (location.hash.slice(1) === asked) this.fill(decoded(name), unit, layer, said);
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

  fill(name, unit, layer, said) {
    const parts = [page.make("p", { className: "note" }, layer.geometry), this.steps(name, unit, layer)];
    for (const [k, section] of layer.sections.entries()) {
      if (!said?.[k]) continue;
      const [facts, rows] = said[k];
      const known = facts.map((value, i) => [section.facts[i], value]).filter(([, value]) => value !== null);
      const table = rows.length ? page.table(section.table.title, section.table.columns, rows) : [];
      const heading = page.heading(section.title, section.chapter);
      parts.push(page.make("section", { className: "part" }, heading, page.facts(known), ...table));
    }
    parts.push(page.make("p", { className: "notice" }, this.how(said)));
    page.show(`${name}, unit ${unit}`, ...parts);
    page.find(".here").textContent = `unit ${unit}`;
  },

  steps(name, unit, layer) {
    const lead = (other, rel, text) =>
      page.make("a", { rel, href: `#${encodeURIComponent(name)}/${other}` }, text);
    const links = [];
    if (unit > 0) links.push(lead(unit - 1, "prev", `← unit ${unit - 1}`));
    if (unit + 1 < layer.units) links.push(lead(unit + 1, "next", `unit ${unit + 1} →`));
    return page.make("nav", { className: "steps", ariaLabel: "Units" }, ...links);
  },

  how(said) {
    const known = said ? "These are its numbers; it was not drawn." : "This unit was not drawn.";
    return `${known} To draw it, let patches.layers and patches.units in params.yaml take it in, and run the pipeline again.`;
  },
};

addEventListener("hashchange", () => units.show());
units.show().catch((error) => page.say(error.message));
