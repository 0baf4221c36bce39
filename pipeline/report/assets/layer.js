"use strict";
// The page of a layer: its units in another order, some of them, or one.

{
  const tools = document.getElementById("tools");
  const list = document.querySelector(".units");
  const units = list ? [...list.children] : [];
  const ranks = new Map(units.map((unit) => [unit, JSON.parse(unit.dataset.ranks)]));
  const number = (unit) => Number(unit.dataset.unit);
  const { layer, lookup } = document.getElementById("content").dataset;

  const order = () => {
    const [sign, index] = [tools.elements.order.value[0], Number(tools.elements.order.value.slice(1))];
    const rank = (unit) => (sign ? ranks.get(unit)[index] ?? -Infinity : 0);
    const turn = sign === "-" ? -1 : 1;
    list.append(...units.sort((a, b) => (rank(a) === rank(b) ? 0 : turn * (rank(a) < rank(b) ? -1 : 1)) || number(a) - number(b)));
  };

  const show = () => {
    const wanted = tools.elements.unit.value.trim();
    const zero = tools.elements.zero.value;
    let shown = 0;
    for (const unit of units) {
      const hit = (!wanted || unit.dataset.unit === wanted) && (!zero || ranks.get(unit)[Number(zero)] === 0);
      unit.hidden = !hit;
      shown += hit;
    }
    tools.elements.shown.value = `${shown} of ${units.length} shown`;
    // A unit that was not drawn has a page all the same.
    const open = tools.querySelector(".open");
    open.hidden = !wanted || units.some((unit) => unit.dataset.unit === wanted);
    open.href = `${lookup}#${encodeURIComponent(layer)}/${wanted}`;
    open.textContent = `look unit ${wanted} up`;
  };

  if (tools) {
    tools.hidden = false;
    tools.elements.order.addEventListener("change", order);
    tools.addEventListener("input", show);
    tools.addEventListener("submit", (event) => event.preventDefault());
    show();
  }
}
