"use strict";
// One person's answers to a task: the order of its questions, what was said, what the browser keeps, and the CSV.

class Answers {
  // A task has an `id`, a `count` of questions, `columns` of the CSV, `allows` an answer, and gives each a `row`.
  constructor(task, annotator) {
    this.task = task;
    this.annotator = annotator;
    this.key = `convatlas-label-${task.id}-${annotator}`;
    this.order = Answers.shuffled(task.count, annotator);
    this.given = this.restored();
    this.kept = this.keep();
  }

  // The question that comes next; undefined where all have an answer.
  get next() {
    return this.order[this.given.length];
  }

  get count() {
    return this.given.length;
  }

  add(answer) {
    if (this.next === undefined) return;
    this.given.push(answer);
    this.kept = this.keep();
  }

  undo() {
    this.given.pop();
    this.kept = this.keep();
  }

  forget() {
    this.given = [];
    this.kept = this.keep();
  }

  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.given));
      localStorage.setItem("convatlas-label-annotator", this.annotator);
      return true;
    } catch {
      return false; // A browser may refuse storage to pages from disk.
    }
  }

  restored() {
    try {
      const given = JSON.parse(localStorage.getItem(this.key) || "[]");
      const sound = Array.isArray(given) && given.length <= this.order.length;
      return sound && given.every((answer) => this.task.allows(answer)) ? given : [];
    } catch {
      return [];
    }
  }

  csv() {
    const rows = this.given.map((answer, place) => this.task.row(this.order[place], answer, this.annotator));
    return tableText([this.task.columns, ...rows]);
  }

  // The same order whenever the same person comes back, another for another.
  static shuffled(count, name) {
    let state = 0x811c9dc5;
    for (const letter of name) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193) >>> 0;
    const order = Array.from({ length: count }, (_, place) => place);
    for (let place = count - 1; place > 0; place--) {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      const other = Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296 * (place + 1));
      [order[place], order[other]] = [order[other], order[place]];
    }
    return order;
  }
}
