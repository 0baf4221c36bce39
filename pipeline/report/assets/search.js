"use strict";
// The search of every page: a dialog with a combobox; arrows choose, Enter goes there.

const search = {
  async open() {
    this.dialog ??= this.made();
    if (!this.dialog.open) this.dialog.showModal();
    this.field.select();
    try {
      this.index ??= new SearchIndex(await convatlas.load("search"));
      this.list();
      await this.index.images();
      this.list();
    } catch (error) {
      this.said.textContent = error.message;
    }
  },

  made() {
    this.field = element("input", { type: "text", name: "wanted", autocomplete: "off", spellcheck: false, placeholder: "unit, image, class, layer" });
    this.box = element("div", { id: "search-found", className: "hits" });
    this.said = element("p", { className: "unseen" });
    const about = {
      role: "combobox", "aria-label": "Search", "aria-expanded": "false", "aria-controls": "search-found",
      "aria-autocomplete": "list", enterkeyhint: "go",
    };
    for (const [name, value] of Object.entries(about)) this.field.setAttribute(name, value);
    this.box.setAttribute("role", "listbox");
    this.box.setAttribute("aria-label", "Found");
    this.said.setAttribute("role", "status");
    this.field.addEventListener("input", () => this.list());
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.box.addEventListener("click", (event) => this.follow(event.target.closest("[role=option]"), event));
    const close = element("form", { method: "dialog" }, element("button", {}, "Close"));
    const dialog = element("dialog", { className: "search-all", ariaLabel: "Search" }, element("div", { className: "top" }, this.field, close), this.box, this.said);
    return opened(dialog);
  },

  press(event) {
    const options = [...this.box.querySelectorAll("[role=option]")];
    const at = options.indexOf(this.chosen);
    const last = options.length - 1;
    const next = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, PageDown: Math.min(at + 8, last), PageUp: Math.max(at - 8, 0) }[event.key];
    if (event.key === "Enter") this.follow(this.chosen, event);
    else if (next === undefined || event.altKey) return;
    else this.choose(options[next]);
    event.preventDefault();
  },

  // Lists what the field's text finds; the first is chosen.
  list() {
    if (!this.index) return;
    const groups = this.index.find(this.field.value);
    let number = 0;
    const shown = groups.map(({ title, count, hits }, k) => {
      const heading = element("div", { id: `search-kind-${k}`, className: "kind" }, title);
      if (count > hits.length) heading.append(element("span", { className: "count" }, `${hits.length} of ${count.toLocaleString("en")}`));
      const group = element("div", {}, heading, ...hits.map((hit) => this.option(hit, number++)));
      group.setAttribute("role", "group");
      group.setAttribute("aria-labelledby", heading.id);
      return group;
    });
    this.box.replaceChildren(...shown);
    this.box.scrollTop = 0;
    this.field.setAttribute("aria-expanded", String(number > 0));
    this.choose(this.box.querySelector("[role=option]"));
    this.say(groups.reduce((sum, { count }) => sum + count, 0));
  },

  option([name, page, more], number) {
    const made = element("div", { id: `search-hit-${number}`, className: "hit" }, named(name));
    if (more) made.append(element("span", { className: "more" }, more));
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", "false");
    made.dataset.page = convatlas.root + page;
    return made;
  },

  say(count) {
    const waiting = this.index.complete ? "" : "; the images are being loaded";
    this.said.textContent = count ? `${count.toLocaleString("en")} found${waiting}` : `Nothing found${waiting}`;
    this.said.classList.toggle("unseen", count > 0);
  },

  choose(option) {
    this.chosen?.setAttribute("aria-selected", "false");
    this.chosen = option || null;
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  },

  // As with a link, Ctrl or the middle button opens another tab.
  follow(option, event) {
    if (!option) return;
    if (event.ctrlKey || event.metaKey) return void open(option.dataset.page);
    shut(this.dialog);
    location.href = option.dataset.page;
  },
};

{
  const button = document.querySelector("button.seek");
  button.hidden = false;
  button.addEventListener("click", () => search.open());
}
