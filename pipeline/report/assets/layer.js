"use strict";
// The page of a layer: its units in another order, some of them, or one; what was chosen stands in the address:
// #order=section.fact (or section.fact:up) &section.fact=word &near=unit &unit=unit &drawn=1

{
  const { units: name, lookup } = document.getElementById("content").dataset;
  const tools = document.getElementById("tools");
  const list = document.getElementById("list");
  const fields = tools ? [...tools.elements].filter((one) => one.name && one.name !== "shown") : [];
  const value = (field) => (field.type === "checkbox" ? (field.checked ? "1" : "") : field.value.trim());
  let columns, units; // of the script

  const cards = () => {
    for (const unit of units) unit.card = document.getElementById(`unit-${unit.number}`) || blank(unit);
  };

  // A unit that was not drawn has a page all the same.
  const blank = ({ number }) => {
    const link = element("a", { href: lookup + number }, element("span", { className: "name" }, `unit ${number}`), element("span", { className: "fact" }, "not drawn"));
    const card = element("li", { id: `unit-${number}`, className: "undrawn" }, link);
    return card;
  };

  const place = (key) => columns.findIndex(([one]) => one === key);

  // Largest first, or nearest first; what has no number comes last, and equal ones by their own.
  const compare = (key, near) => {
    const [column, turn] = key.endsWith(":up") ? [place(key.slice(0, -3)), 1] : [place(key), -1];
    const like = near === "" ? null : likeness(Number(near));
    const rank = (unit) => {
      if (like) return like.get(unit.number)?.place ?? Infinity;
      const own = column < 0 ? null : unit.places[column];
      return own === null || own === undefined ? Infinity : turn * own;
    };
    return (a, b) => {
      const [one, other] = [rank(a), rank(b)];
      return one === other ? a.number - b.number : one < other ? -1 : 1;
    };
  };

  // The unit itself, then those most like it, as far as they are known.
  const likeness = (number) => {
    const near = units.find((unit) => unit.number === number)?.near || [];
    return new Map([[number, { place: -1, text: "" }], ...near.map(([unit, text], k) => [unit, { place: k, text }])]);
  };

  const passes = (unit, wanted) =>
    Object.entries(wanted).every(([key, one]) => {
      if (key === "unit") return unit.number === Number(one);
      if (key === "drawn") return unit.drawn;
      const column = place(key);
      return column < 0 || unit.places[column] === one;
    });

  // The number that units are sorted by stands on each of them.
  const told = (unit, order, like) => {
    const column = place(order.replace(/:up$/, ""));
    const near = like?.get(unit.number)?.text;
    if (near) return `likeness ${near}`;
    return like || column < 0 || !unit.texts[column] ? "" : `${columns[column][1]} ${unit.texts[column]}`;
  };

  const show = () => {
    const { order = "", near = "", ...wanted } = Object.fromEntries(fields.map((field) => [field.name, value(field)]).filter(([, one]) => one));
    const like = near === "" ? null : likeness(Number(near));
    const shown = units.filter((unit) => passes(unit, wanted)).sort(compare(order, near));
    for (const unit of shown) {
      unit.card.querySelector(".sorted")?.remove();
      const text = told(unit, order, like);
      for (const fact of unit.card.querySelectorAll(".fact")) fact.hidden = fact.textContent === text;
      if (text) unit.card.querySelector(".name").after(element("span", { className: "fact sorted" }, text));
    }
    list.replaceChildren(...shown.map(({ card }) => card));
    const drawn = shown.filter((unit) => unit.drawn).length;
    tools.elements.shown.value = `${shown.length.toLocaleString("en")} of ${units.length.toLocaleString("en")} units shown, ${drawn.toLocaleString("en")} of them drawn`;
    if (like && like.size === 1) tools.elements.shown.value += `; nothing is known to be like unit ${near}`;
  };

  const write = () => {
    const state = fields.map((field) => [field.name, value(field)]).filter(([, one]) => one);
    const hash = state.map(([key, one]) => `${encodeURIComponent(key)}=${encodeURIComponent(one)}`).join("&");
    try {
      history.replaceState(null, "", `#${hash}`);
    } catch {
      // Some browsers refuse this to pages from disk; the page works without.
    }
  };

  // Anchors, which have no =, lead to a unit or a section.
  const read = () => {
    const hash = location.hash.slice(1);
    if (hash && !hash.includes("=")) return document.getElementById(decoded(hash))?.scrollIntoView();
    const asked = new Map(hash.split("&").map((part) => part.split(/=(.*)/s).slice(0, 2).map((one) => decoded(one || ""))));
    for (const field of fields) {
      const one = asked.get(field.name) || "";
      if (field.type === "checkbox") field.checked = one === "1";
      else field.value = one;
      // What the dataset has no more is not asked for.
      if (field.value !== one && field.type !== "checkbox") field.value = "";
    }
    show();
    return undefined;
  };

  const follow = () => {
    read();
    if (location.hash.includes("order=")) document.getElementById("units").scrollIntoView();
  };

  const start = async () => {
    const found = await convatlas.load(name);
    columns = found.columns;
    units = found.units.map(([number, drawn, texts, places, near]) => ({ number, drawn: !!drawn, texts, places, near }));
    cards();
    tools.elements.near.closest("label").hidden = !units.some(({ near }) => near.length);
    tools.hidden = false;
    for (const field of fields) field.addEventListener("input", () => (show(), write()));
    tools.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", follow);
    show();
    follow();
  };

  if (tools) start().catch((error) => list.before(element("p", { className: "state" }, error.message)));
}
