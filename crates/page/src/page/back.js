// What happens at an event of the backward: cotangents, rules, sums that form, products that wait.

import { plural, shapeText } from "./text.js";
import { make } from "./dom.js";
import { tile } from "./value.js";

const MOST_ADDENDS = 3;
const MOST_CARDS = 7;

export const label = (text) => make("h3", { class: "label" }, text);

export function seedParts(walk, position, here) {
  const note =
    "The derivative of the loss in itself is one. From here the backward goes against the order of the recording.";
  return [
    make(
      "div",
      { class: "tiles" },
      tile({ title: `cotangent of ${walk.name(here.event.to)}`, value: here.event.value, tone: "backward" }),
    ),
    make("p", { class: "aside-note" }, note),
  ];
}

export function pullParts(walk, position, here) {
  const { event, line } = here;
  const at = (output) => ({ line: line.number, output });
  const known = event.cotangents.map((value, output) =>
    tile({
      title: `cotangent of ${walk.name(at(output))}`,
      value,
      shape: line.outputs[output].shape,
      tone: "backward",
      body: value ? null : make("p", { class: "none" }, "none has arrived: counts as zero"),
      note: origin(walk.arrived(at(output), position)),
    }),
  );
  return [
    make("section", {}, label("at hand"), make("div", { class: "tiles" }, known)),
    line.rule.length > 0 &&
      make("section", {}, label(line.rule.length === 1 ? "the rule" : "the rules"), rules(line.rule)),
    event.gives.length > 0 &&
      make(
        "section",
        {},
        label("handed on"),
        event.gives.map((give) => handed(walk, position, give)),
      ),
    event.waits.length > 0 &&
      make(
        "section",
        {},
        label("waiting"),
        event.waits.map((wait) => waiting(walk, position, wait)),
      ),
    used(walk, line),
    event.gives.length + event.waits.length === 0 &&
      make("p", { class: "aside-note" }, "Nothing that it was computed from requires a gradient."),
  ];
}

/** Where a cotangent came from. */
function origin(arrivals) {
  const texts = arrivals.map((arrival) =>
    arrival.isProduct ? "one product" : arrival.from === null ? "the beginning" : `%${arrival.from}`,
  );
  if (texts.length === 0) return null;
  const shown = texts.length > 4 ? [`${texts.length - 3} others`, ...texts.slice(-3)] : texts;
  return texts.length === 1
    ? `from ${shown[0]}`
    : `the sum of what came from ${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** Whether the values of the forward are shown, which stays so from step to step. */
let isUsedOpen = false;

/** What the forward computed here, which the rules speak of. */
function used(walk, line) {
  const note = (event) => {
    isUsedOpen = event.target.open;
  };
  const outputs = line.outputs.map((output, at) =>
    valueTile(walk, { line: line.number, output: at }, "forward"),
  );
  return make(
    "details",
    { class: "used", open: isUsedOpen, ontoggle: note },
    make("summary", {}, "values of the forward"),
    make(
      "div",
      { class: "tiles" },
      line.inputs.map((input) => valueTile(walk, input, "plain")),
      outputs,
    ),
  );
}

/** What stands at an input or an output of a line. */
export function valueTile(walk, ref, tone) {
  if (ref.line === undefined) return tile({ title: "constant", value: ref.constant, tone });
  const output = walk.line(ref.line).outputs[ref.output];
  return tile({ title: walk.name(ref), value: output.value, shape: output.shape, tone });
}

/** The pullback as formulas; the shapes stand apart from the symbols. */
function rules(texts) {
  const rule = (text) => {
    const [formula, shapes] = text.split(/\s{2,}/, 2);
    // Where all are scalars, shapes say nothing.
    const isTelling = shapes && /\d\]/.test(shapes);
    return make("li", {}, make("code", {}, formula), isTelling && make("code", { class: "shapes" }, shapes));
  };
  return make("ul", { class: "rules" }, texts.map(rule));
}

/** How many of the expected cotangents have arrived, as dots and in words. */
function pips(arrived, of) {
  const dots =
    of <= 12
      ? Array.from({ length: of }, (_, at) => make("i", { class: at < arrived ? "pip full" : "pip" }))
      : [make("i", { class: "meter" }, make("i", { style: `width:${(100 * arrived) / of}%` }))];
  return make(
    "span",
    { class: "pips" },
    make("span", { class: "dots", "aria-hidden": "true" }, dots),
    `${arrived} of ${of} arrived`,
  );
}

/** A cotangent that goes to an input, and the sum that forms there. */
function handed(walk, position, give) {
  const name = walk.name(give.to);
  const arrivals = walk.arrived(give.to, position);
  const upTo = arrivals.findIndex(
    (arrival) => arrival.from === walk.at(position).line.number && arrival.input === give.input,
  );
  const count =
    give.of === 1
      ? make("span", { class: "pips" }, "the only path there: this is its cotangent")
      : pips(give.arrived, give.of);
  const head = make("p", { class: "meet-head" }, make("b", {}, `→ ${name}`), count);
  if (give.of === 1)
    return make(
      "div",
      { class: "meet" },
      head,
      tile({ title: `cotangent of ${name}`, value: give.value, tone: "backward new" }),
    );
  const addends = arrivals.slice(0, upTo + 1);
  const hidden = Math.max(0, addends.length - MOST_ADDENDS);
  const shown = addends
    .slice(hidden)
    .map((arrival, at, all) => pair(at > 0 || hidden > 0 ? "+" : "", addend(arrival, at === all.length - 1)));
  const missing = give.of - give.arrived;
  return make(
    "div",
    { class: "meet" },
    head,
    make(
      "div",
      { class: "sum" },
      hidden > 0 && make("p", { class: "ghost" }, `${hidden} before`),
      shown,
      missing > 0 && pair("+", make("p", { class: "ghost" }, `${missing} to come`)),
      give.arrived > 1 &&
        pair(
          "=",
          tile({
            title: missing > 0 ? "sum so far" : "sum",
            value: give.sum,
            tone: missing > 0 ? "backward partial" : "backward",
          }),
        ),
    ),
  );
}

const sign = (text) => make("span", { class: "sign" }, text);

/** A sign and what stands behind it, which no end of a line parts. */
const pair = (text, element) => make("div", { class: "pair" }, text && sign(text), element);

function addend(arrival, isNew) {
  const title = arrival.isProduct ? "the product" : `from %${arrival.from}`;
  return tile({ title, value: arrival.value, tone: isNew ? "backward new" : "backward faint" });
}

/** A pile of products at a value that many steps share. */
export function pile(count, factors) {
  const cards = Math.min(count, MOST_CARDS);
  const card = (at) => make("i", { class: "card", style: `--at:${at}` });
  const [left, right] = factors.map((factor) => shapeText(factor.shape));
  const words = `(${left})ᵀ · (${right})`;
  return make(
    "div",
    { class: "pile", style: `--cards:${cards}` },
    Array.from({ length: cards - 1 }, (_, at) => card(cards - 1 - at)),
    make(
      "div",
      { class: "card top", style: "--at:0" },
      make("b", {}, String(count)),
      make("span", {}, words),
    ),
  );
}

function waiting(walk, position, wait) {
  const name = walk.name(wait.to);
  const note =
    wait.waiting === 1
      ? `A product waits at ${name}: it is not computed yet, its factors are kept.`
      : `${plural(wait.waiting, "product")} wait at ${name}. They become one when the last has come.`;
  return make(
    "div",
    { class: "meet waiting" },
    make("p", { class: "meet-head" }, make("b", {}, `→ ${name}`), make("span", { class: "pips" }, note)),
    make("div", { class: "sum" }, pile(wait.waiting, wait.factors), factorTiles(wait.factors, "new")),
  );
}

function factorTiles(factors, tone) {
  const [left, right] = factors;
  const of = (title, value) => tile({ title, value, tone: `backward ${tone}` });
  return make("div", { class: "factors" }, of("left factor", left), pair("ᵀ ·", of("right factor", right)));
}

export function productParts(walk, position, here) {
  const { event } = here;
  const name = walk.name(event.to);
  const arrivals = walk.arrived(event.to, position);
  const before = arrivals.length - 1;
  const all =
    event.count === 1
      ? "The factors"
      : `The factors of ${event.count} products, below each other in the order of the steps`;
  return [
    make(
      "section",
      {},
      label("what waited"),
      make("div", { class: "sum merged" }, pile(event.count, event.factors), factorTiles(event.factors, "")),
    ),
    make(
      "section",
      {},
      label("one product"),
      make(
        "div",
        { class: "sum" },
        tile({
          title: before > 0 ? "the product" : `gradient of ${name}`,
          value: event.value,
          tone: "backward new",
        }),
        before > 0 && [
          pair("+", make("p", { class: "ghost" }, `${plural(before, "cotangent")} before`)),
          pair("=", tile({ title: `cotangent of ${name}`, value: event.sum, tone: "backward" })),
        ],
      ),
    ),
    make(
      "p",
      { class: "aside-note" },
      `${all}: one large product in place of ${event.count === 1 ? "one at once" : `${event.count} small ones and their sum`}.`,
    ),
  ];
}
