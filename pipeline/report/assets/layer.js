"use strict";
// The page of a layer: its units in another order, some of them, or one; what was chosen stands in the address:
// #order=section.fact (or section.fact:up) &section.fact=word &near=unit &unit=unit &drawn=1

// Units that a sheet shows, as style.css has it.
const ON_PAPER = 24;

class LayerUnits {
  constructor(main, tools) {
    Object.assign(this, { main, tools, list: document.getElementById("list") });
    this.fields = [...tools.elements].filter((one) => one.name && one.name !== "shown");
    this.seen = new IntersectionObserver((entries) => this.#draw(entries), { rootMargin: "200px" });
  }

  async start() {
    const { words, units } = await convatlas.load(this.main.dataset.units);
    this.words = words;
    const cards = this.#cards();
    this.units = units.map(([number, drawn, own, near], at) => ({
      number, drawn: !!drawn, own, near, at, card: cards.get(`unit-${number}`) || this.#blank(number),
    }));
    for (const { card } of this.units) this.seen.observe(card);
    addEventListener("beforeprint", () => [...this.list.children].slice(0, ON_PAPER).forEach((card) => this.#fill(card)));
    this.tools.elements.near.closest("label").hidden = !units.some(([, , , near]) => near.length);
    for (const field of this.fields) field.addEventListener("input", () => (this.#write(), this.show()));
    this.tools.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", () => this.read());
    await this.read();
    this.tools.hidden = false;
  }

  // The cards that readers without scripts have. Their pictures wait until they are seen: a page that opens with
  // all of them would be megabytes.
  #cards() {
    const text = this.list.nextElementSibling.textContent;
    const cards = [...new DOMParser().parseFromString(text, "text/html").querySelectorAll(".units > li")];
    for (const image of cards.flatMap((card) => [...card.querySelectorAll("img")])) {
      image.dataset.src = image.getAttribute("src");
      image.removeAttribute("src");
      image.loading = "eager";
    }
    return new Map(cards.map((card) => [card.id, document.adoptNode(card)]));
  }

  // A unit that was not drawn has a page all the same.
  #blank(number) {
    const texts = [["name", `unit ${number}`], ["fact", "not drawn"]];
    const link = element("a", { href: this.main.dataset.lookup + number }, ...texts.map(([className, text]) => element("span", { className }, text)));
    return element("li", { id: `unit-${number}`, className: "undrawn" }, link);
  }

  #draw(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      this.seen.unobserve(target);
      this.#fill(target);
    }
  }

  #fill(card) {
    for (const image of card.querySelectorAll("img[data-src]")) image.src = image.dataset.src;
  }

  // The state, as fields and as the address has it

  #state() {
    const values = this.fields.map((field) => [field.name, field.type === "checkbox" ? (field.checked ? "1" : "") : field.value.trim()]);
    return values.filter(([, value]) => value);
  }

  #write() {
    const hash = this.#state().map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
    try {
      history.replaceState(null, "", `#${hash}`);
    } catch {
      // Some browsers refuse this to pages from disk; the page works without.
    }
  }

  // Anchors, which have no =, lead to a unit or a section.
  async read() {
    const hash = location.hash.slice(1);
    const anchor = !hash.includes("=");
    const asked = new Map((anchor ? "" : hash).split("&").map((part) => part.split(/=(.*)/s).slice(0, 2).map((one) => decoded(one || ""))));
    for (const field of this.fields) {
      const value = asked.get(field.name) || "";
      if (field.type === "checkbox") field.checked = value === "1";
      else field.value = value;
      // What the dataset has no more is not asked for.
      if (field.type !== "checkbox" && field.value !== value) field.value = "";
    }
    await this.show();
    const place = anchor ? decoded(hash) : asked.has("order") ? "all-units" : "";
    if (place) document.getElementById(place)?.scrollIntoView();
  }

  // The units

  async show() {
    const { order = "", near = "", ...wanted } = Object.fromEntries(this.#state());
    this.asked = this.#state().join();
    const asked = this.asked;
    if (order) this.numbers ??= await convatlas.load(`${this.main.dataset.units}-numbers`);
    // Another order may have been asked for while numbers were loading.
    if (asked !== this.asked) return;
    const column = order ? this.numbers.find(([key]) => key === order.replace(/:up$/, "")) : null;
    const like = near === "" ? null : this.#likeness(Number(near));
    const shown = this.units.filter((unit) => this.#passes(unit, wanted)).sort(this.#compare(order, column, like));
    for (const unit of shown) this.#tell(unit, column, like);
    this.list.replaceChildren(...shown.map(({ card }) => card));
    this.#say(shown, near, like);
  }

  #passes(unit, wanted) {
    return Object.entries(wanted).every(([key, value]) => {
      if (key === "unit") return unit.number === Number(value);
      if (key === "drawn") return unit.drawn;
      const place = this.words.indexOf(key);
      return place < 0 || unit.own[place] === value;
    });
  }

  // The unit itself, then those most like it, as far as they are known.
  #likeness(number) {
    const near = this.units.find((unit) => unit.number === number)?.near || [];
    return new Map([[number, { place: -1, text: "" }], ...near.map(([unit, text], place) => [unit, { place, text }])]);
  }

  // Nearest first, or largest first; what has no number comes last, and equal ones by their own.
  #compare(order, column, like) {
    const turn = order.endsWith(":up") ? 1 : -1;
    const rank = (unit) => {
      if (like) return like.get(unit.number)?.place ?? Infinity;
      // By their numbers, those come first of which there is something to see.
      if (!column) return Number(!unit.drawn);
      const place = column[3][unit.at];
      return place === null ? Infinity : turn * place;
    };
    return (a, b) => {
      const [one, other] = [rank(a), rank(b)];
      return one === other ? a.number - b.number : one < other ? -1 : 1;
    };
  }

  // The number that units are sorted by stands on each of them, once.
  #tell({ card, at, number }, column, like) {
    card.querySelector(".sorted")?.remove();
    const near = like?.get(number)?.text;
    const own = !like && column?.[2][at] ? `${column[1]} ${column[2][at]}` : "";
    const text = near ? `likeness ${near}` : own;
    for (const fact of card.querySelectorAll(".fact")) fact.hidden = fact.textContent === text;
    if (text) card.querySelector(".name").after(element("span", { className: "fact sorted" }, text));
  }

  #say(shown, near, like) {
    const count = (list) => list.length.toLocaleString("en");
    const said = `${count(shown)} of ${count(this.units)} units shown, ${count(shown.filter(({ drawn }) => drawn))} of them drawn`;
    const unlike = like?.size === 1 ? `; nothing is known to be like unit ${near}` : "";
    this.tools.elements.shown.value = said + unlike;
  }
}

{
  const tools = document.getElementById("tools");
  const units = tools && new LayerUnits(document.getElementById("content"), tools);
  units?.start().catch((error) => tools.before(element("p", { className: "state" }, error.message)));
}
