// A value as numbers, where they are few, else as a heat map.

import { aligned, numberOf, rowsAndColumns, shapeText, shown } from "./text.js";
import { make } from "./dom.js";

const MOST_NUMBERS = 48;
const MOST_COLUMNS = 8;

/** Whether a value is shown by its numbers. */
export function isFew(value) {
  if (!value.data || value.data.length > MOST_NUMBERS) return false;
  return rowsAndColumns(value.shape)[1] <= MOST_COLUMNS;
}

/** A card with a value: what it is, its shape, its numbers. */
export function tile({ title, value, tone = "plain", note = null, shape = null, body = null }) {
  const extents = value?.shape ?? shape;
  const head = make(
    "figcaption",
    {},
    make("span", { class: "tile-name" }, title),
    extents && make("span", { class: "tile-shape" }, shapeText(extents)),
  );
  return make(
    "figure",
    { class: `tile ${tone}` },
    head,
    body ?? picture(value, title),
    note && make("p", { class: "tile-note" }, note),
  );
}

/** The numbers or the heat map of a value, or a word where there is none. */
export function picture(value, title) {
  if (!value) return make("p", { class: "none" }, "no value kept");
  if (value.shape.includes(0)) return make("p", { class: "none" }, "empty");
  if (!value.data && !value.heat) return make("p", { class: "none" }, `norm ${shown(numberOf(value.norm))}`);
  return isFew(value) ? numbers(value, title) : heat(value, title);
}

/** How strongly a number is tinted: by its part of the largest. */
function tint(number, scale) {
  if (!Number.isFinite(number) || scale === 0) return "";
  const part = Math.round((Math.abs(number) / scale) * 34);
  return `--tint:${part}%;--sign:var(${number < 0 ? "--minus" : "--plus"})`;
}

function numbers(value, title) {
  const all = value.data.map(numberOf);
  if (value.shape.length === 0) return make("p", { class: "scalar", title: String(all[0]) }, shown(all[0]));
  const [rows, columns] = rowsAndColumns(value.shape);
  const texts = aligned(all);
  const scale = all.filter(Number.isFinite).reduce((most, number) => Math.max(most, Math.abs(number)), 0);
  const cell = (at) => make("td", { style: tint(all[at], scale), title: String(all[at]) }, texts[at]);
  const slice = value.shape.length > 2 ? value.shape.at(-2) : 0;
  const row = (r) =>
    make(
      "tr",
      { class: slice && r > 0 && r % slice === 0 ? "slice" : null },
      Array.from({ length: columns }, (_, c) => cell(r * columns + c)),
    );
  const table = make(
    "table",
    { class: "numbers", "aria-label": `${title}, ${shapeText(value.shape)}` },
    make(
      "tbody",
      {},
      Array.from({ length: rows }, (_, r) => row(r)),
    ),
  );
  return make("div", { class: "scrolls" }, table);
}

/** The cells of a heat map: those of the scene, or all numbers where those are at hand. */
function cells(value) {
  if (value.heat) {
    const { rows, columns, cells, scale } = value.heat;
    return { rows, columns, cells: cells.map(numberOf), scale: numberOf(scale) };
  }
  const all = value.data.map(numberOf);
  const [rows, columns] = rowsAndColumns(value.shape);
  const scale = all.filter(Number.isFinite).reduce((most, number) => Math.max(most, Math.abs(number)), 0);
  // A long vector would be a hair's breadth high.
  if (rows === 1 && columns > 32) return { rows: Math.ceil(columns / 32), columns: 32, cells: all, scale };
  return { rows, columns, cells: all, scale };
}

function heat(value, title) {
  const map = cells(value);
  const range = `${shown(numberOf(value.least))} … ${shown(numberOf(value.greatest))}`;
  const norm = shown(numberOf(value.norm));
  const canvas = make("canvas", {
    class: "heat",
    width: map.columns,
    height: map.rows,
    role: "img",
    "aria-label": `${title}: heat map, from ${range.replace(" … ", " to ")}, norm ${norm}`,
  });
  const side = Math.max(4, Math.min(14, Math.floor(240 / map.columns), Math.floor(160 / map.rows)));
  canvas.style.width = `${map.columns * side}px`;
  canvas.style.height = `${map.rows * side}px`;
  paint(canvas, map);
  return make(
    "div",
    { class: "heat-frame" },
    canvas,
    make("p", { class: "legend" }, make("span", {}, range), make("span", {}, `norm ${norm}`)),
  );
}

function paint(canvas, map) {
  const style = getComputedStyle(document.documentElement);
  const channels = (name) => style.getPropertyValue(name).trim().split(" ").map(Number);
  const [zero, plus, minus] = ["--heat-zero", "--heat-plus", "--heat-minus"].map(channels);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(map.columns, map.rows);
  map.cells.forEach((number, at) => {
    const known = Number.isFinite(number) && map.scale > 0;
    const part = known ? Math.min(1, Math.abs(number) / map.scale) ** 0.7 : 0;
    const end = number < 0 ? minus : plus;
    for (let c = 0; c < 3; c += 1) pixels.data[4 * at + c] = zero[c] + (end[c] - zero[c]) * part;
    pixels.data[4 * at + 3] = Number.isNaN(number) ? 60 : 255;
  });
  context.putImageData(pixels, 0, 0);
}
