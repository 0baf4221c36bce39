"use strict";
// The second task: which of two images excites a unit more? Which one does is known to the activations alone.

class UnitTask {
  constructor(main, source, answer) {
    this.main = main;
    this.source = source;
    this.answer = answer;
    this.id = source.id;
    this.count = source.trials.length;
    this.columns = ["annotator", "layer", "unit", "left", "right", "more", "network"];
    this.suffix = "-units";
    this.none = { answer: "unsure", text: "unsure" };
    this.keys = new Map([["1", "left"], ["2", "right"], ["arrowleft", "left"], ["arrowright", "right"]]);
  }

  begin() {
    for (const side of ["left", "right"]) {
      this.main.querySelector(`[data-do=${side}]`).addEventListener("click", () => this.answer(side));
    }
  }

  allows(answer) {
    return ["left", "right", "unsure"].includes(answer);
  }

  row(place, answer, annotator) {
    const { layer, unit, left, right } = this.source.trials[place];
    return [annotator, layer, unit, left, right, answer, this.source.network];
  }

  said(answer) {
    return answer;
  }

  // Return whether the key was one of the task's.
  press(event) {
    const side = this.keys.get(event.key.toLowerCase());
    if (side) this.answer(side);
    return Boolean(side);
  }

  show(place, after) {
    const box = this.main.querySelector("[data-of=units]");
    box.hidden = place === undefined;
    if (place === undefined) return;
    const file = (name) => this.main.dataset.folder + name;
    const { nine, left, right } = this.source.trials[place].pictures;
    box.querySelector(".nine").src = file(nine);
    box.querySelector("[data-do=left] img").src = file(left);
    box.querySelector("[data-do=right] img").src = file(right);
    if (after === undefined) return;
    for (const name of Object.values(this.source.trials[after].pictures)) new Image().src = file(name);
  }
}
