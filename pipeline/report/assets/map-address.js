"use strict";
// The whole state of the map in its address: #v=x,y,z&layout=grid&colour=right&class=a,b&wrong=1&box=x,y,x,y&path=…
// What stands as it does at the start is left out.

const SETTLED_MS = 250; // after the last movement, before the address follows

class MapAddress {
  constructor(controls) {
    this.controls = controls;
    this.data = controls.data;
    this.view = controls.view;
    addEventListener("hashchange", () => this.read());
    this.view.moved = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.write(false), SETTLED_MS);
    };
  }

  // A selection makes a step of the history, so that Back undoes it; a movement does not.
  write(step) {
    clearTimeout(this.timer);
    const hash = `#${this.state().map(([key, value]) => `${key}=${value}`).join("&")}`;
    if (hash === (location.hash || "#")) return;
    try {
      if (step) history.pushState(null, "", hash);
      else history.replaceState(null, "", hash);
    } catch {
      // Some browsers refuse this to pages from disk; the map works without.
    }
  }

  state() {
    const { data, view, controls } = this;
    const state = [];
    const zoom = view.scale / view.fitScale;
    const round = (value, digits) => String(Number(value.toFixed(digits)));
    if (view.x !== 0.5 || view.y !== 0.5 || Math.abs(zoom - 1) > 1e-3) {
      state.push(["v", [round(view.x, 5), round(view.y, 5), round(zoom, 3)].join(",")]);
    }
    if (controls.layout !== "map") state.push(["layout", controls.layout]);
    if (view.colouring.key !== controls.startColour) state.push(["colour", encodeURIComponent(view.colouring.key)]);
    state.push(...this.#classes());
    if (data.wrongOnly) state.push(["wrong", "1"]);
    if (view.box) state.push(["box", view.box.map((value) => round(value, 4)).join(",")]);
    const selected = view.selected >= 0 && controls.paths.known(view.selected);
    if (selected) state.push(["path", address(selected.path)]);
    return state;
  }

  // The classes that are shown, or those that are not, whichever are fewer.
  #classes() {
    const { names: all, shown: passing, counts } = this.view.colouring;
    const named = (wanted) => all.filter((_, k) => counts[k] && !!passing[k] === wanted);
    const [shown, hidden] = [named(true), named(false)];
    if (!hidden.length) return [];
    const [key, names] = shown.length <= hidden.length ? ["class", shown] : ["without", hidden];
    return [[key, names.map(encodeURIComponent).join(",")]];
  }

  read() {
    const { view, controls } = this;
    const asked = new Map(location.hash.slice(1).split("&").map((part) => part.split(/=(.*)/s).slice(0, 2)));
    controls.arrange(asked.get("layout") === "grid" ? "grid" : "map");
    this.#readColour(asked);
    this.#readPath(asked);
    const place = numbers(asked.get("v"), 3);
    if (place) view.look(...place);
    controls.box.set(numbers(asked.get("box"), 4));
  }

  async #readColour(asked) {
    const { controls } = this;
    const key = decoded(asked.get("colour") || controls.startColour);
    // What needs no loading is there when this returns.
    const ready = controls.colour(key);
    if (key.startsWith("attribute:")) await ready;
    this.#readClasses(asked);
    controls.filterWrong(asked.get("wrong") === "1");
  }

  #readClasses(asked) {
    const { names: all, shown } = this.view.colouring;
    let key = ["class", "without"].find((one) => asked.has(one));
    const names = new Set((asked.get(key) || "").split(",").map(decoded));
    // Classes of another dataset would leave nothing to be seen.
    if (key === "class" && !all.some((name) => names.has(name))) key = undefined;
    all.forEach((name, k) => {
      shown[k] = !key || names.has(name) === (key === "class") ? 1 : 0;
    });
  }

  async #readPath(asked) {
    const { controls, view } = this;
    const path = asked.has("path") ? decoded(asked.get("path")) : null;
    const loaded = controls.paths.loaded(path);
    const i = path === null ? -1 : loaded >= 0 || controls.paths.complete ? loaded : await controls.paths.find(path);
    controls.say(asked.has("path") && i < 0 ? "The image of this link is not on the map." : "");
    controls.look(i);
    if (i >= 0 && !asked.has("v")) view.centre(i);
  }
}

// So many numbers with commas between them; null where it is not that.
function numbers(text, count) {
  const found = (text || "").split(",").map(Number);
  return text && found.length === count && found.every(Number.isFinite) ? found : null;
}
