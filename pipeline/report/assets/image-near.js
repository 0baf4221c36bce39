"use strict";
// The images nearest to one, on its page. Their pictures lie in many files, so these are loaded once they come into sight.

const nearest = {
  // What the strip will say has its place from the start, so that nothing below moves once it is there.
  part([slot, , label], map, about) {
    const note = element("div", { className: "note" });
    note.innerHTML = about.note; // made of the captions, every name in it escaped
    const says = element("p", {}, "\u00a0");
    const strip = element("ol", { className: "beside nearest" });
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      this.fill(strip, says, slot, map, about.chance).catch((error) => page.say(error.message));
    });
    watch.observe(strip);
    const part = element("section", { className: "part" }, page.heading(about.title, about.page), note, strip);
    if (about.chance[label] !== undefined) strip.before(says);
    return part;
  },

  async fill(strip, says, slot, map, chance) {
    const run = map.runs.findLastIndex(([, first]) => first <= slot);
    const { each, bits, near } = await convatlas.load(map.near[run], map.folder);
    const at = (slot - map.runs[run][1]) * each;
    // The largest number stands for none.
    const slots = [...unpacked(near, bits).subarray(at, at + each)].filter((one) => one < map.images);
    if (!slots.length) return void strip.closest(".part").remove();
    const [own, ...others] = await Promise.all([slot, ...slots].map((one) => images.known(one, map)));
    says.textContent = this.share(own.label, others, map, chance);
    strip.append(...others.map((one, k) => this.item(one, slots[k], map, says.textContent && own)));
  },

  // With its label, which is marked where that says something.
  item(one, slot, map, beside) {
    const name = map.classes[one.label];
    const mark = !beside || name === undefined ? "" : one.label === beside.label ? "✓ " : "✗ ";
    const said = name === undefined ? [] : [element("bdi", { title: visible(name), dir: "ltr" }, mark, named(name))];
    return element("li", {}, images.link(one.path, slot, map), ...said);
  },

  // How many have its label, beside what chance gives; nothing where it has none, or all have the same.
  share(label, others, map, chance) {
    if (chance[label] === undefined) return "";
    if (!chance[label]) return "No other image has its label.";
    const labelled = others.filter((one) => one.label < map.classes.length);
    const same = labelled.filter((one) => one.label === label).length;
    const of = labelled.length < others.length ? `${labelled.length} that have one` : others.length;
    return `${same} of ${of} ${same === 1 ? "has" : "have"} its label; of others drawn at random ${chance[label]} would.`;
  },
};
