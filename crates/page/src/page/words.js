// Each step in words, for the live region and for labels.

import { plural, shapeSaid } from "./text.js";

/** What a line is called aloud. */
export function lineSaid(walk, number, output = 0) {
  const line = walk.line(number);
  if (walk.isNamed(line)) return line.name;
  const several = line.outputs.length > 1 ? `, output ${output}` : "";
  return `line ${number}${several}`;
}

function inputSaid(walk, input) {
  return input.line === undefined ? "a constant" : lineSaid(walk, input.line, input.output);
}

function list(texts) {
  if (texts.length < 2) return texts.join("");
  return `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}

export function said(walk, position) {
  const here = walk.at(position);
  if (here.phase === "forward") return forwardSaid(walk, position, here.line);
  if (here.phase === "end") return endSaid(walk);
  const opening = `Backward, event ${here.place + 1} of ${walk.events}: `;
  if (here.event.kind === "seed") return opening + `the cotangent of ${refSaid(walk, here.event.to)} is one.`;
  if (here.event.kind === "product") return opening + productSaid(walk, here.event);
  return opening + pullSaid(walk, here.event);
}

function refSaid(walk, ref) {
  return lineSaid(walk, ref.line, ref.output);
}

function forwardSaid(walk, position, line) {
  const opening = `Forward, line ${position + 1} of ${walk.forward}: `;
  const step = line.step === null ? "" : ` Time step ${line.step + 1}.`;
  const gives = line.outputs.map((output) => shapeSaid(output.shape));
  if (line.operation === "leaf") return `${opening}leaf ${line.name || line.number}, ${list(gives)}.`;
  const inputs = list(line.inputs.map((input) => inputSaid(walk, input)));
  return `${opening}${line.operation} of ${inputs} gives ${list(gives)}.${step}`;
}

function pullSaid(walk, event) {
  const line = walk.line(event.line);
  const step = line.step === null ? "" : `, time step ${line.step + 1}`;
  const gives = event.gives.map(
    (give) => `to ${refSaid(walk, give.to)}, ${give.arrived} of ${give.of} arrived`,
  );
  const waits = event.waits.map(
    (wait) => `${plural(wait.waiting, "product")} waiting at ${refSaid(walk, wait.to)}`,
  );
  const all = [...gives, ...waits];
  return `line ${event.line}, ${line.operation}${step}, passes its cotangent on: ${all.length ? list(all) : "to nothing that requires one"}.`;
}

function productSaid(walk, event) {
  const sort = event.count === 1 ? "the product that waited" : `the ${event.count} products that waited`;
  return `${sort} at ${refSaid(walk, event.to)} ${event.count === 1 ? "is computed" : "become one"}.`;
}

function endSaid(walk) {
  return `The end: ${plural(walk.results().length, "leaf").replace("leafs", "leaves")} have their gradients.`;
}
