"use strict";
// The page of a layer: its units in another order, or one of them.

{
  const tools = document.getElementById("tools");
  const list = document.getElementById("units");
  const units = [...list.children];
  const number = (unit, key) => Number(unit.dataset[key]);

  const orders = {
    unit: (a, b) => number(a, "unit") - number(b, "unit"),
    value: (a, b) => number(b, "value") - number(a, "value") || orders.unit(a, b),
    active: (a, b) => number(b, "active") - number(a, "active") || orders.unit(a, b),
    rare: (a, b) => number(a, "active") - number(b, "active") || orders.unit(a, b),
  };

  const show = () => {
    const wanted = tools.elements.unit.value.trim();
    const never = tools.elements.never.checked;
    let shown = 0;
    for (const unit of units) {
      const hit = (!wanted || unit.dataset.unit === wanted) && (!never || number(unit, "active") === 0);
      unit.hidden = !hit;
      shown += hit;
    }
    tools.elements.shown.value = `${shown} of ${units.length} shown`;
  };

  const order = () => list.append(...units.sort(orders[tools.elements.order.value]));

  tools.hidden = false;
  tools.elements.order.addEventListener("change", order);
  tools.addEventListener("input", show);
  tools.addEventListener("submit", (event) => event.preventDefault());
  show();
}
