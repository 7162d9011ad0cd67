// The pane in the middle: what happens at the step, forward, and at the end.

import { bytesText, plural } from "./text.js";
import { fill, make } from "./dom.js";
import { tile } from "./value.js";
import { fields } from "./edit.js";
import { label, pullParts, productParts, seedParts, valueTile } from "./back.js";

export class Stage {
  constructor(pane, edit) {
    this.pane = pane;
    this.edit = edit;
  }

  show(walk, position) {
    const focused = document.activeElement?.dataset?.field;
    const here = walk.at(position);
    const parts = {
      forward: () => this.forward(walk, here.line),
      backward: () => backward(walk, position, here),
      end: () => this.end(walk),
    };
    fill(this.pane, head(walk, position, here), parts[here.phase]());
    if (position !== this.position) this.pane.scrollTop = this.pane.parentElement.scrollTop = 0;
    this.position = position;
    if (focused) this.pane.querySelector(`[data-field="${focused}"]`)?.focus();
  }

  forward(walk, line) {
    if (line.operation === "leaf")
      return [make("div", { class: "tiles" }, this.leaf(line)), leafRemark(line, Boolean(this.edit))];
    const inputs = line.inputs.map((input) => valueTile(walk, input, "plain"));
    const outputs = line.outputs.map((_, output) =>
      valueTile(walk, { line: line.number, output }, "forward"),
    );
    return [
      make(
        "section",
        {},
        label("takes"),
        make("div", { class: "tiles" }, inputs),
        make("div", { class: "arrow", "aria-hidden": "true" }),
        label("gives"),
        make("div", { class: "tiles" }, outputs),
      ),
      line.kept_bytes > 0 &&
        make("p", { class: "aside-note" }, `Keeps ${bytesText(line.kept_bytes)} for the backward.`),
    ];
  }

  /** A leaf's value, as fields where it may be edited. */
  leaf(line) {
    const value = line.outputs[0].value;
    const canEdit = this.edit && line.editable && value?.data && value.data.length > 0;
    const body = canEdit ? fields(line, value, this.edit) : null;
    return tile({
      title: line.name || `%${line.number}`,
      value,
      shape: line.outputs[0].shape,
      tone: "forward",
      body,
    });
  }

  end(walk) {
    const results = walk.results();
    const pairs = results.slice(0, 60).map((line) =>
      make(
        "div",
        { class: "result" },
        this.leaf(line),
        tile({
          title: "its gradient",
          value: line.outputs[0].grad,
          shape: line.outputs[0].shape,
          tone: "backward",
        }),
      ),
    );
    const more =
      results.length > 60
        ? make("p", { class: "aside-note" }, `And ${plural(results.length - 60, "more")}.`)
        : null;
    return [make("div", { class: "results" }, pairs), more];
  }
}

function leafRemark(line, canEdit) {
  const gradient = line.requires_grad ? "A gradient is wanted for it." : "No gradient is wanted for it.";
  const editing =
    line.editable && canEdit ? " Type other numbers: forward and backward are computed anew." : "";
  return make("p", { class: "aside-note" }, gradient + editing);
}

/** Where we are: the phase, the operation, the line and where it comes from. */
function head(walk, position, here) {
  const phase = { forward: `Forward, line ${position + 1} of ${walk.forward}`, end: "The end" };
  phase.backward = `Backward, event ${(here.place ?? 0) + 1} of ${walk.events}`;
  const { line } = here;
  const step =
    line && line.step !== null ? make("span", { class: "time" }, `time step ${line.step + 1}`) : null;
  const place = line ? [line.path, line.source].filter(Boolean).join(" · ") : "";
  return make(
    "header",
    { class: "step-head" },
    make("p", { class: "eyebrow" }, make("span", { class: "phase" }, phase[here.phase]), step),
    make("h2", {}, title(walk, here)),
    line &&
      make(
        "p",
        { class: "listing" },
        make("code", {}, line.text),
        place && make("span", { class: "place" }, place),
      ),
  );
}

function title(walk, here) {
  if (here.phase === "end") return "Gradients of the leaves";
  if (here.phase === "forward")
    return here.line.operation === "leaf" ? `Leaf ${here.line.name}`.trim() : here.line.operation;
  if (here.event.kind === "seed") return "The cotangent of the loss";
  if (here.event.kind === "product") {
    const count = here.event.count;
    return `${walk.name(here.event.to)}: ${count === 1 ? "the product that waited" : `${count} products become one`}`;
  }
  return `${here.line.operation} hands on its cotangent`;
}

function backward(walk, position, here) {
  const parts = { seed: seedParts, pull: pullParts, product: productParts };
  return parts[here.event.kind](walk, position, here);
}
