// Words and numbers, as they are shown and as they are said.

const MINUS = "\u2212";

/** A number of a Value: numbers are numbers, what JSON has no number for is a text. */
export function numberOf(given) {
  if (typeof given === "number") return given;
  if (given === "NaN") return NaN;
  if (given === "inf") return Infinity;
  return given === "-inf" ? -Infinity : NaN;
}

/** A number as a request has it: what JSON has no number for is a text. */
export function writtenNumber(number) {
  if (Number.isFinite(number)) return number;
  return Number.isNaN(number) ? "NaN" : number > 0 ? "inf" : "-inf";
}

/** A number in four digits, with a true minus. */
export function shown(number) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : MINUS + "∞";
  const size = Math.abs(number);
  let text;
  if (size === 0) text = "0";
  else if (size >= 1e5 || size < 1e-4) text = size.toExponential(2).replace("e+", "e");
  else if (size >= 100) text = size.toFixed(1);
  else text = size.toFixed(size >= 10 ? 2 : 4);
  if (text.includes(".") && !text.includes("e")) text = trimmed(text);
  return (number < 0 ? MINUS : "") + text.replace("e-", "e" + MINUS);
}

/** Without the zeros behind the point that say nothing: integers are shown as such. */
function trimmed(text) {
  return /\.0+$/.test(text) ? text.replace(/\.0+$/, "") : text;
}

/** Numbers of one matrix, all with as many digits behind the point, so that they stand in columns. */
export function aligned(numbers) {
  const finite = numbers.filter(Number.isFinite);
  const most = finite.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
  const least = finite.reduce(
    (least, number) => (number ? Math.min(least, Math.abs(number)) : least),
    Infinity,
  );
  if (finite.every(Number.isInteger) && most < 1e5) return numbers.map(shown);
  if (most >= 1e4 || most < 1e-3 || least < 1e-6) return numbers.map(shown);
  const digits = most >= 100 ? 1 : most >= 10 ? 2 : least < 1e-2 ? 4 : 3;
  const fixed = (number) => (number < 0 ? MINUS : "") + Math.abs(number).toFixed(digits);
  return numbers.map((number) => (Number.isFinite(number) ? fixed(number) : shown(number)));
}

export function shapeText(shape) {
  return shape.length === 0 ? "scalar" : shape.join(" × ");
}

/** The shapes of several outputs, told once where all are the same. */
export function shapesText(shapes) {
  const texts = [...new Set(shapes.map(shapeText))];
  if (shapes.length > 1 && texts.length === 1) return `${shapes.length} of ${texts[0]}`;
  return texts.join(", ");
}

export function shapeSaid(shape) {
  return shape.length === 0 ? "a scalar" : `shape ${shape.join(" by ")}`;
}

export function bytesText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${trimmed((bytes / 1024).toFixed(1))} KiB`;
  return `${trimmed((bytes / 1024 / 1024).toFixed(1))} MiB`;
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** A matrix-like reading of a shape: all dimensions but the last one are rows. */
export function rowsAndColumns(shape) {
  const columns = shape.length === 0 ? 1 : shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
  return [rows, columns];
}

/** What a program's text says at most so long, for labels. */
export function shortened(text, most) {
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
}
