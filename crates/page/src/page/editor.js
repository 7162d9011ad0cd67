// The field for a program: numbers of its lines, the place of an error, the place of the current step.

import { at, fill, make } from "./dom.js";

export class Editor {
  constructor(change) {
    this.field = at("text");
    this.backdrop = at("backdrop");
    this.gutter = at("gutter");
    this.error = null;
    this.here = null;
    this.field.addEventListener("input", () => {
      this.error = null;
      this.here = null;
      this.draw();
      change();
    });
    this.field.addEventListener("scroll", () => this.align());
    this.field.addEventListener("keydown", (event) => this.key(event));
  }

  get text() {
    return this.field.value;
  }

  set text(text) {
    this.field.value = text;
    this.error = null;
    this.here = null;
    this.draw();
  }

  /** Escape leaves the field, so that the keys of the walk are at hand. */
  key(event) {
    if (event.key === "Escape") at("program").focus();
  }

  /** Marks a place in the text and says what is wrong there; without an error, nothing is. */
  mark(error) {
    this.error = error;
    const words = at("text-error");
    words.hidden = !error;
    const place = error?.line ? `Line ${error.line}${error.column ? `, column ${error.column}` : ""}: ` : "";
    words.textContent = error ? place + error.message : "";
    this.field.setAttribute("aria-invalid", String(Boolean(error)));
    this.draw();
  }

  /** Shows from which line of the text the current step comes. */
  point(line) {
    if (line === this.here) return;
    this.here = line;
    this.draw();
  }

  draw() {
    const lines = this.text.split("\n");
    fill(
      this.backdrop,
      lines.map((line, place) => this.line(line, place + 1)),
    );
    fill(
      this.gutter,
      lines.map((_, place) => make("div", { class: this.state(place + 1) }, String(place + 1))),
    );
    this.align();
  }

  state(number) {
    if (this.error?.line === number) return "wrong";
    return this.here === number ? "here" : null;
  }

  line(text, number) {
    const state = number === this.here ? "line here" : "line";
    if (this.error?.line !== number) return make("span", { class: state }, text || " ");
    const letters = [...text];
    const start = Math.max(0, Math.min((this.error.column ?? 1) - 1, letters.length));
    const rest = letters.slice(start).join("");
    const wrong = this.error.column ? (rest.match(/^[\p{L}\p{N}_.]+/u)?.[0] ?? rest.slice(0, 1)) : rest;
    const behind = rest.slice(wrong.length);
    return make(
      "span",
      { class: state },
      letters.slice(0, start).join(""),
      make("mark", {}, wrong || " "),
      behind,
    );
  }

  align() {
    this.backdrop.scrollTop = this.field.scrollTop;
    this.backdrop.scrollLeft = this.field.scrollLeft;
    this.gutter.scrollTop = this.field.scrollTop;
  }
}
