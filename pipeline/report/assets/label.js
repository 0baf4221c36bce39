"use strict";
// The labelling page: a task is chosen, its questions are asked one after the other, its answers taken along.

const label = {
  start() {
    this.main = document.querySelector("main.label");
    const answer = (given) => this.answer(given);
    this.tasks = new Map();
    if (window.CONVATLAS_LABELLING) {
      this.tasks.set("images", new ImageTask(this.main, window.CONVATLAS_LABELLING, answer));
    }
    if (window.CONVATLAS_TRIALS) {
      this.tasks.set("units", new UnitTask(this.main, window.CONVATLAS_TRIALS, answer));
    }
    for (const name of ["images", "units"]) {
      const item = this.find(`[data-task=${name}]`);
      if (this.tasks.has(name)) item.hidden = false;
      else item.remove();
    }
    this.find("form.begin").addEventListener("submit", (event) => this.begin(event));
    for (const button of this.main.querySelectorAll("button[data-do]")) {
      button.addEventListener("click", () => this.act(button));
    }
    document.addEventListener("keydown", (event) => this.press(event));
    this.find("form.begin").hidden = false;
    try {
      this.find("[name=annotator]").value = localStorage.getItem("convatlas-label-annotator") || "";
    } catch {
      // Then the name is asked for anew.
    }
    this.find("[name=annotator]").focus();
  },

  find(selector) {
    return this.main.querySelector(selector);
  },

  begin(event) {
    event.preventDefault();
    const name = this.find("[name=annotator]").value.trim();
    const chosen = event.submitter ? event.submitter.value : [...this.tasks.keys()][0];
    if (!name) return;
    this.task = this.tasks.get(chosen);
    this.answers = new Answers(this.task, name);
    // A hidden field would keep the focus, and the keys, until the next frame.
    this.find("[name=annotator]").blur();
    this.find("form.begin").hidden = true;
    this.find(".task").hidden = false;
    this.find(".answers").hidden = false;
    this.find("[data-do=none] .none").textContent = this.task.none.text;
    this.task.begin();
    this.show();
  },

  press(event) {
    if (!this.answers || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, textarea");
    if (field && (field.name !== "class" || field.value || !["Backspace", "-"].includes(event.key))) {
      if (field.name === "class") this.task.typed(event);
      return;
    }
    if (event.key === "Backspace") this.undo();
    else if (event.key === "-") this.answer(this.task.none.answer);
    else if (!this.task.press(event)) return;
    event.preventDefault();
  },

  act(button) {
    const doing = button.dataset.do;
    if (doing === "none") this.answer(this.task.none.answer);
    if (doing === "undo") this.undo();
    if (doing === "save") this.save();
    if (doing === "leave") location.reload();
    if (doing === "forget") this.forget(button);
  },

  answer(given) {
    if (this.answers.next === undefined) return;
    this.answers.add(given);
    this.say(`${this.task.said(given)}; next`);
    this.show();
  },

  undo() {
    if (!this.answers.count) return;
    this.answers.undo();
    this.say("taken back");
    this.show();
  },

  // A second press means it.
  forget(button) {
    if (button.dataset.sure) {
      this.answers.forget();
      this.show();
      return;
    }
    button.dataset.sure = "yes";
    button.textContent = `Really forget ${this.answers.count}?`;
  },

  say(text) {
    this.find(".say").textContent = text;
  },

  show() {
    const { count, next, kept, order } = this.answers;
    const total = order.length;
    this.find(".progress progress").max = total;
    this.find(".progress progress").value = count;
    this.find(".count").textContent = `${count} of ${total}`;
    this.find(".done").hidden = next !== undefined;
    this.find(".stored").hidden = kept;
    this.find("textarea").value = this.answers.csv();
    const forget = this.find("[data-do=forget]");
    delete forget.dataset.sure;
    forget.textContent = "Forget these answers";
    this.task.show(next, order[count + 1]);
  },

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.answers.csv()], { type: "text/csv" }));
    const name = this.answers.annotator.replace(/[^\p{L}\p{N}_-]+/gu, "-") || "answers";
    link.download = `${name}${this.task.suffix}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },
};

label.start();
