// The pane with the program: one row a line, only those in sight are in the document.

import { shapesText, shortened } from "./text.js";
import { fill, make, reveal } from "./dom.js";

const ROW = 30;
const AROUND = 12;

export class ProgramPane {
  constructor(pane, go) {
    this.pane = pane;
    this.go = go;
    /** The rows in the document, by place: while one scrolls, those in sight stay. */
    this.made = new Map();
    this.rows = make("div", { class: "rows", role: "presentation" });
    fill(pane, this.rows);
    pane.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(pane);
  }

  show(walk, position) {
    this.walk = walk;
    this.made.clear();
    this.position = position;
    this.rows.style.height = `${walk.forward * ROW}px`;
    const line = walk.at(position).line;
    if (line) {
      const place = walk.places.get(line.number);
      reveal(this.pane, place * ROW, (place + 1) * ROW);
      this.pane.setAttribute("aria-activedescendant", `line-${line.number}`);
    } else {
      this.pane.removeAttribute("aria-activedescendant");
    }
    this.draw();
  }

  draw() {
    if (!this.walk) return;
    const first = Math.max(0, Math.floor(this.pane.scrollTop / ROW) - AROUND);
    const last = Math.min(
      this.walk.forward,
      Math.ceil((this.pane.scrollTop + this.pane.clientHeight) / ROW) + AROUND,
    );
    const places = new Set(Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at));
    // The line that a screen reader is told of is always there.
    const current = this.walk.at(this.position).line;
    if (current) places.add(this.walk.places.get(current.number));
    const order = [...places].sort((one, other) => one - other);
    if (order.length === this.made.size && order.every((place) => this.made.has(place))) return;
    const before = this.made;
    this.made = new Map(order.map((place) => [place, before.get(place) ?? this.row(place)]));
    for (const [place, row] of before) if (!this.made.has(place)) row.remove();
    if (before.size === 0) fill(this.rows, [...this.made.values()]);
    else for (const [place, row] of this.made) if (!before.has(place)) this.rows.append(row);
  }

  row(place) {
    const line = this.walk.scene.lines[place];
    const isCurrent = this.walk.at(this.position).line === line;
    const status = this.walk.status(line, this.position);
    const state = this.state(place, status);
    const call = line.text.replace(/^%\d+ = /, "");
    return make(
      "div",
      {
        class: `row ${state} ${isCurrent ? "current" : ""}`,
        style: `top:${place * ROW}px`,
        role: "option",
        id: `line-${line.number}`,
        "aria-selected": isCurrent ? "true" : "false",
        "aria-posinset": place + 1,
        "aria-setsize": this.walk.forward,
        title: this.title(line),
        onclick: () => this.go(this.walk.positionOf(line.number, this.position)),
      },
      make("span", { class: "row-number" }, `%${line.number}`),
      make(
        "span",
        { class: "row-call" },
        line.name && make("b", {}, shortened(line.name, 40)),
        line.name && line.operation === "leaf" ? null : make("span", {}, (line.name ? " = " : "") + call),
      ),
      make("span", { class: "row-shape" }, shapesText(line.outputs.map((output) => output.shape))),
      this.mark(status),
    );
  }

  title(line) {
    return [line.text, line.path && `in ${line.path}`, line.source].filter(Boolean).join("\n");
  }

  state(place, status) {
    if (!this.walk.isBackward(this.position)) return place > this.position ? "ahead" : "computed";
    if (!status) return "aside";
    if (status.isPassed) return "passed";
    return status.isAll ? "complete" : "computed";
  }

  /** What has arrived at a line, or waits there. */
  mark(status) {
    if (!status || status.of === 0) return make("span", { class: "row-mark" });
    if (status.waits > 0)
      return make("span", { class: "row-mark waits", title: "products waiting" }, `${status.waits} wait`);
    if (status.arrived === 0) return make("span", { class: "row-mark" });
    const text = status.of === 1 ? "●" : `${status.arrived}/${status.of}`;
    return make(
      "span",
      { class: `row-mark ${status.isAll ? "all" : ""}`, title: `${status.arrived} of ${status.of} arrived` },
      text,
    );
  }
}
