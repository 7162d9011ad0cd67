// The playground: a program, its errors, the walk through what it records, the check of its gradients.

import { at, fill, make } from "./dom.js";
import { plural, writtenNumber } from "./text.js";
import { Engine } from "./engine.js";
import { Page } from "./page.js";
import { Editor } from "./editor.js";
import { EXAMPLES } from "./examples.js";

const QUIET = 300;

const data = JSON.parse(at("data").textContent);
const engine = new Engine(data.engine);
const page = new Page(edit);
const editor = new Editor(() => later());

/** Values that were typed in the walk, by name. They belong to one text of the program. */
let values = {};
let timer = null;
let asked = 0;

function later() {
  clearTimeout(timer);
  values = {};
  timer = setTimeout(() => compute({ isNew: true }), QUIET);
}

async function compute({ isNew = false, words = "" } = {}) {
  asked += 1;
  const turn = asked;
  const program = editor.text;
  keep(program);
  const answer = await answered({ program, type: at("number-type").value, values, check: true });
  // Of several answers on their way, only the last one counts.
  if (turn !== asked) return null;
  if (answer.error) {
    complain(answer.error);
    return answer.error;
  }
  editor.mark(null);
  document.body.classList.remove("stale");
  page.fail("");
  page.load({ ...answer.scene, title: data.title }, { keep: !isNew, said: words });
  return null;
}

async function answered(request) {
  try {
    return await engine.ask(request);
  } catch (trap) {
    return { error: { message: trap.message } };
  }
}

/** What is wrong, at its place in the text if it has one; the walk stays that of the last program that ran. */
function complain(error) {
  editor.mark(error);
  document.body.classList.add("stale");
}

async function edit(line, numbers) {
  const before = values;
  values = { ...values, [line.name]: numbers.map(writtenNumber) };
  const error = await compute({ words: `${line.name} is changed; all is computed anew.` });
  if (!error) return;
  values = before;
  page.fail(`With that value it can't be computed: ${error.message}. What is shown is from before.`);
  editor.mark(null);
  document.body.classList.remove("stale");
}

/** The program as part of the address, to be shared. */
function keep(program) {
  history.replaceState(null, "", `#${encodeURIComponent(program)}`);
}

function kept() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

/** The line of the text that a recorded line comes from. */
function sourceLine(line) {
  const found = /^(\d+):\d+$/.exec(line?.source ?? "");
  return found ? Number(found[1]) : null;
}

function begin() {
  const choice = at("examples");
  fill(
    choice,
    make("option", { value: "" }, `${plural(EXAMPLES.length, "example")} …`),
    EXAMPLES.map((example, place) => make("option", { value: place }, example.name)),
  );
  choice.addEventListener("change", () => {
    if (choice.value === "") return;
    editor.text = EXAMPLES[Number(choice.value)].program;
    later();
  });
  at("number-type").addEventListener("change", () => compute());
  addEventListener("hashchange", () => {
    if (kept() === editor.text) return;
    editor.text = kept();
    later();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.go(page.position));
  page.shown.push((walk, position) => editor.point(sourceLine(walk.at(position).line)));
  editor.text = kept() || data.program || EXAMPLES[0].program;
  return compute({ isNew: true });
}

globalThis.wengert = { page, editor, engine };
begin().then(() => {
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
});
