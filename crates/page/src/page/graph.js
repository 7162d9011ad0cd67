// The pane with the drawing: SVG of the scene, with marks for where the walk stands.

import { fill, make, reveal } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** What a drawing consists of; all else is left out of the page. */
const ELEMENTS = new Set([
  "svg",
  "g",
  "path",
  "rect",
  "text",
  "tspan",
  "title",
  "desc",
  "defs",
  "marker",
  "polygon",
  "circle",
  "line",
]);
const MOST_STOPS = 80;

/** The drawing as elements of this document. */
function parsed(text) {
  const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (drawing.localName !== "svg") return null;
  for (const element of [drawing, ...drawing.querySelectorAll("*")]) {
    if (!ELEMENTS.has(element.localName)) element.remove();
    for (const { name } of [...element.attributes]) {
      if (name.startsWith("on") || name.includes("href")) element.removeAttribute(name);
    }
  }
  return document.importNode(drawing, true);
}

export class GraphPane {
  constructor(pane, { rolled, unrolled, fit }, go) {
    this.pane = pane;
    this.buttons = { rolled, unrolled };
    this.fit = fit;
    this.go = go;
    this.kind = "rolled";
    rolled.addEventListener("click", () => this.turn("rolled"));
    unrolled.addEventListener("click", () => this.turn("unrolled"));
    fit.addEventListener("click", () => this.setFit(!this.isFit));
    this.isFit = false;
  }

  toggle() {
    this.turn(this.kind === "rolled" ? "unrolled" : "rolled");
  }

  turn(kind) {
    if (!this.walk?.scene.drawings[kind]) return;
    this.kind = kind;
    this.load(this.walk);
    this.mark(this.position);
  }

  setFit(isFit) {
    this.isFit = isFit;
    this.fit.setAttribute("aria-pressed", String(isFit));
    this.pane.classList.toggle("fit", isFit);
    if (this.walk) this.mark(this.position);
  }

  /** Takes a scene's drawing into the document. */
  load(walk) {
    this.walk = walk;
    const { drawings } = walk.scene;
    if (!drawings[this.kind]) this.kind = "rolled";
    for (const [kind, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-pressed", String(kind === this.kind));
      button.disabled = !drawings[kind];
    }
    this.buttons.unrolled.title = drawings.unrolled
      ? "Every line a node (u)"
      : "The recording is too long to be drawn unrolled";
    const svg = drawings[this.kind] && parsed(drawings[this.kind].svg);
    fill(this.pane, svg ?? make("p", { class: "none" }, "There is no drawing."));
    this.nodes = new Map();
    this.ofLine = new Map();
    if (svg) this.prepare(svg);
  }

  prepare(svg) {
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", `Graph of the recording, ${this.kind}`);
    const groups = [...svg.querySelectorAll("g.node")];
    for (const group of groups) {
      const lines = (group.dataset.lines ?? "").split(" ").filter(Boolean).map(Number);
      const box = group.querySelector("rect.box") ?? group.querySelector("rect");
      const node = { group, lines, box, badge: null };
      this.nodes.set(group.dataset.node, node);
      for (const line of lines) if (!this.ofLine.has(line)) this.ofLine.set(line, node);
      group.setAttribute("role", "button");
      group.setAttribute("tabindex", groups.length <= MOST_STOPS ? "0" : "-1");
      const name = group.querySelector("text")?.textContent ?? "node";
      group.setAttribute(
        "aria-label",
        `${name}: ${lines.length === 1 ? `line ${lines[0]}` : `${lines.length} lines`}`,
      );
      group.addEventListener("click", () => this.follow(node));
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        this.follow(node);
      });
    }
    // Above all nodes, so that none covers the mark of its neighbour.
    this.badges = document.createElementNS(SVG, "g");
    svg.append(this.badges);
    this.edges = [...svg.querySelectorAll("g.edge")];
  }

  /** A click on a node leads to its line; on one of several lines, to the next of them. */
  follow(node) {
    const targets = node.lines.map((line) => this.walk.positionOf(line, this.position));
    const order = targets.sort((one, other) => one - other);
    this.go(order.find((target) => target > this.position) ?? order[0]);
  }

  show(walk, position) {
    if (walk !== this.walk) this.load(walk);
    this.mark(position);
  }

  mark(position) {
    this.position = position;
    const { walk } = this;
    const here = walk.at(position);
    const current = here.line && this.ofLine.get(here.line.number);
    const isBackward = walk.isBackward(position);
    for (const node of this.nodes.values()) this.markNode(node, position, isBackward);
    for (const edge of this.edges ?? []) edge.classList.remove("lit", "lit-back");
    this.pane.classList.toggle("backward", isBackward);
    if (!current) return;
    current.group.classList.add("current");
    for (const other of this.partners(here)) {
      const node = this.ofLine.get(other);
      if (node) this.light(node.group.dataset.node, current.group.dataset.node, isBackward);
    }
    this.scroll(current);
  }

  /** The lines that the current one takes from, or hands its cotangent to. */
  partners(here) {
    if (here.event && here.event.kind !== "pull") return [];
    const inputs = here.line.inputs.filter((input) => input.line !== undefined).map((input) => input.line);
    if (!here.event) return inputs;
    return [...here.event.gives, ...here.event.waits].map((part) => part.to.line);
  }

  light(from, to, isBackward) {
    for (const edge of this.edges) {
      if (edge.dataset.from === from && edge.dataset.to === to)
        edge.classList.add(isBackward ? "lit-back" : "lit");
    }
  }

  markNode(node, position, isBackward) {
    const { walk } = this;
    const places = node.lines.map((line) => walk.places.get(line));
    const lines = node.lines.map((line) => walk.line(line));
    const states = lines.map((line) => walk.status(line, position));
    const list = node.group.classList;
    list.remove("current", "computed", "arrived", "passed");
    if (!isBackward)
      list.toggle(
        "computed",
        places.some((place) => place <= position),
      );
    else if (states.some((state) => state?.isPassed)) list.add("passed");
    else if (states.every((state) => state === null || state.isAll) && states.some(Boolean))
      list.add("passed");
    else if (states.some((state) => state?.arrived > 0)) list.add("arrived");
    else list.add("computed");
    this.badge(
      node,
      isBackward ? badgeText(states) : "",
      states.some((state) => state?.waits > 0),
    );
  }

  badge(node, text, isWaiting) {
    node.badge?.remove();
    node.badge = null;
    if (!text || !node.box) return;
    const [x, y, width] = ["x", "y", "width"].map((name) => Number(node.box.getAttribute(name)));
    const badge = document.createElementNS(SVG, "g");
    badge.setAttribute("class", isWaiting ? "badge waits" : "badge");
    const extent = text.length * 6.6 + 12;
    const shape = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({
      x: x + width - extent / 2,
      y: y - 12,
      width: extent,
      height: 17,
      rx: 8.5,
    })) {
      shape.setAttribute(name, value);
    }
    const words = document.createElementNS(SVG, "text");
    words.setAttribute("x", x + width);
    words.setAttribute("y", y + 0.5);
    words.textContent = text;
    badge.append(shape, words);
    this.badges.append(badge);
    node.badge = badge;
  }

  scroll(node) {
    if (this.isFit) return;
    const pane = this.pane.getBoundingClientRect();
    const box = node.group.getBoundingClientRect();
    const [top, left] = [
      box.top - pane.top + this.pane.scrollTop,
      box.left - pane.left + this.pane.scrollLeft,
    ];
    reveal(this.pane, top, top + box.height, left, left + box.width);
    if (this.nodes.size > MOST_STOPS) {
      this.pane.querySelector("g.node[tabindex='0']")?.setAttribute("tabindex", "-1");
      node.group.setAttribute("tabindex", "0");
    }
  }
}

/** What waits at a node's lines, or how many of the cotangents of several have come. */
function badgeText(states) {
  const known = states.filter((state) => state && state.of > 0);
  const waits = known.reduce((sum, state) => sum + state.waits, 0);
  if (waits > 0) return `${waits} wait`;
  const open = known.find((state) => state.arrived > 0 && !state.isAll);
  return open ? `${open.arrived} of ${open.of}` : "";
}
