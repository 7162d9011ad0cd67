// Elements, made in one call. Text goes in as text, never as markup.

export const at = (id) => document.getElementById(id);

/** An element: attributes, then children, which are elements or texts. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
}

export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Scrolls a pane, and nothing around it, until a box within is seen. */
export function reveal(pane, top, bottom, left = null, right = null) {
  const behavior = isStill() ? "auto" : "smooth";
  const margin = Math.min(60, pane.clientHeight / 4);
  const to = { behavior };
  if (top - margin < pane.scrollTop) to.top = Math.max(0, top - margin);
  else if (bottom + margin > pane.scrollTop + pane.clientHeight) to.top = bottom + margin - pane.clientHeight;
  if (left !== null) {
    if (left - 20 < pane.scrollLeft) to.left = Math.max(0, left - 20);
    else if (right + 20 > pane.scrollLeft + pane.clientWidth) to.left = right + 20 - pane.clientWidth;
  }
  if (to.top !== undefined || to.left !== undefined) pane.scrollTo(to);
}
