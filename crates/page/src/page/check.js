// The gradients beside those by differences.

import { numberOf, shapeText, shown } from "./text.js";
import { at, fill, make } from "./dom.js";

/** A value in one cell of the table: few numbers, else its norm. */
function brief(value) {
  if (value.data && value.data.length <= 4)
    return value.data.map((number) => shown(numberOf(number))).join("  ") || "empty";
  return `norm ${shown(numberOf(value.norm))}`;
}

/** Shows the table, or hides it where nothing was checked. */
export function showCheck(check) {
  at("check").hidden = !check;
  if (!check) return;
  at("verdict").textContent = check.verdict;
  const row = (entry) =>
    make(
      "tr",
      {},
      make("td", { title: shapeText(entry.analytical.shape) }, entry.name),
      make("td", {}, brief(entry.analytical)),
      make("td", {}, brief(entry.numerical)),
      make("td", {}, shown(numberOf(entry.largest))),
    );
  fill(at("check-rows"), check.rows.map(row));
}
