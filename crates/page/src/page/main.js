// The page of a recorded tape.

import { at } from "./dom.js";
import { Engine } from "./engine.js";
import { Page } from "./page.js";
import { writtenNumber } from "./text.js";

const data = JSON.parse(at("data").textContent);

/** Edited leaves, by line: what all requests carry. */
const edits = {};
let asked = 0;

async function edit(line, numbers) {
  const before = edits[line.number];
  edits[line.number] = numbers.map(writtenNumber);
  asked += 1;
  const turn = asked;
  try {
    const answer = await engine.ask({ ...data.request, edits });
    // Of several answers on their way, only the last one counts.
    if (turn !== asked) return;
    if (answer.error) throw new Error(answer.error.message);
    page.fail("");
    page.load(
      { ...answer.scene, title: data.scene.title },
      { said: `${line.name || `Line ${line.number}`} is changed; all is computed anew.` },
    );
  } catch (error) {
    if (before) edits[line.number] = before;
    else delete edits[line.number];
    page.fail(`With that value it can't be computed: ${error.message}. What is shown is from before.`);
  }
}

const engine = new Engine(data.engine ?? "");
const page = new Page(data.request ? edit : null);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.go(page.position));
page.load(data.scene);

// For who looks from the console, and for the tests.
globalThis.wengert = { page, edits, engine };
document.documentElement.dataset.ready = String(Math.round(performance.now()));
