// The numbers of a leaf, to be typed.

import { numberOf, rowsAndColumns, shapeText } from "./text.js";
import { make } from "./dom.js";

/** What a person types: with a true minus or a comma it is a number, too. */
export function read(text) {
  const plain = text
    .trim()
    .replace("\u2212", "-")
    .replace(/^(-?\d*),(\d+)$/, "$1.$2");
  if (/^[+-]?(inf|infinity|∞)$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  return plain === "" ? null : Number.isNaN(Number(plain)) ? null : Number(plain);
}

/** A grid of fields; `change` gets all numbers as soon as one is another. */
export function fields(line, value, change) {
  const given = value.data.map(numberOf);
  const now = [...given];
  const [rows, columns] = rowsAndColumns(value.shape);
  const name = line.name || `line ${line.number}`;
  const field = (at) => {
    const place =
      value.shape.length === 0 ? "" : `, row ${Math.floor(at / columns) + 1}, column ${(at % columns) + 1}`;
    return make("input", {
      class: "field",
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      spellcheck: "false",
      value: String(Number(given[at].toPrecision(4))),
      title: String(given[at]),
      "aria-label": `${name}${place}`,
      "data-field": `${line.number}.${at}`,
      size: 7,
      onchange: (event) => take(event.target, at),
    });
  };
  const take = (element, at) => {
    const number = read(element.value);
    element.setAttribute("aria-invalid", String(number === null));
    if (number === null || number === now[at]) return;
    now[at] = number;
    change(line, [...now]);
  };
  const row = (r) =>
    make(
      "div",
      { class: "field-row" },
      Array.from({ length: columns }, (_, c) => field(r * columns + c)),
    );
  return make(
    "div",
    { class: "fields", role: "group", "aria-label": `Values of ${name}, ${shapeText(value.shape)}` },
    Array.from({ length: rows }, (_, r) => row(r)),
  );
}
