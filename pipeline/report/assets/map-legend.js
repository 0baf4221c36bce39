"use strict";
// What the colours of the map mean: of classes a list that filters, of numbers a scale.

const FOLDED = 20; // entries that are shown of more, until they are asked for

class MapLegend {
  constructor(root, view, changed) {
    Object.assign(this, { root, view, changed });
    this.entries = [];
    this.find("[data-do=all]").addEventListener("click", () => this.#set(null, 1));
    this.find("[data-do=none]").addEventListener("click", () => this.#set(null, 0));
    this.find("[data-do=more]").addEventListener("click", () => this.#unfold());
    this.find("[name=entry]").addEventListener("input", () => this.#fold());
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  show(colouring, title) {
    this.colouring = colouring;
    this.view.emphasised = -1;
    this.find("summary").textContent = colouring.key === "none" ? "No colours" : `Colours: ${title}`;
    this.entries = colouring.scale ? [] : colouring.titles.map((_, k) => (colouring.counts[k] && colouring.colours[k] ? this.#entry(k) : null));
    const present = this.entries.filter(Boolean);
    this.find("ul").replaceChildren(...present.map((button) => button.parentNode));
    this.unfolded = present.length <= FOLDED;
    this.find("[name=entry]").hidden = this.unfolded;
    this.find("[name=entry]").value = "";
    for (const name of ["all", "none"]) this.find(`[data-do=${name}]`).hidden = present.length < 2;
    this.#scale();
    this.#fold();
  }

  // After the filter changed.
  update() {
    this.entries.forEach((button, k) => button?.setAttribute("aria-pressed", String(!!this.colouring.shown[k])));
  }

  #entry(k) {
    const { titles, colours, counts } = this.colouring;
    const button = document.createElement("button");
    button.type = "button";
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = colours[k];
    const text = document.createElement("bdi");
    text.textContent = text.title = titles[k];
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = counts[k].toLocaleString("en");
    button.append(swatch, text, count);
    button.addEventListener("click", () => this.#set(k, this.colouring.shown[k] ? 0 : 1));
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && this.#emphasise(k));
    button.addEventListener("pointerleave", () => this.#emphasise(-1));
    const item = document.createElement("li");
    item.append(button);
    return button;
  }

  // Two classes may have one colour: the one that is pointed at is shown alone.
  #emphasise(k) {
    this.view.emphasised = this.colouring.shown[k] ? k : -1;
    this.view.request();
  }

  #set(k, value) {
    if (k === null) this.colouring.shown.fill(value);
    else this.colouring.shown[k] = value;
    this.#emphasise(-1);
    this.changed();
  }

  #unfold() {
    this.unfolded = true;
    this.#fold();
  }

  // Hides what lies beyond the fold, or does not match what is looked for.
  #fold() {
    const wanted = folded(this.find("[name=entry]").value.trim());
    let matching = 0;
    this.entries.forEach((button, k) => {
      if (!button) return;
      const matches = folded(this.colouring.titles[k]).includes(wanted);
      if (matches) matching++;
      button.parentNode.hidden = !matches || (!this.unfolded && matching > FOLDED);
    });
    const more = this.find("[data-do=more]");
    more.hidden = this.unfolded || matching <= FOLDED;
    more.textContent = `show all ${matching.toLocaleString("en")}`;
  }

  #scale() {
    const { scale, low, high, counts } = this.colouring;
    this.find(".scale").hidden = !scale;
    if (!scale) return;
    this.find(".scale i").style.background = `linear-gradient(to right, ${scale.join(", ")})`;
    const unknown = counts.at(-1);
    this.find(".scale .low").textContent = `≤ ${low.toLocaleString("en")}`;
    this.find(".scale .high").textContent = `≥ ${high.toLocaleString("en")}`;
    this.find(".scale .unknown").textContent = unknown ? `${unknown.toLocaleString("en")} without a value are grey` : "";
  }
}
