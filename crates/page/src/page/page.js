// The page: its panes, and what they show of a scene.

import { at, fill, make } from "./dom.js";
import { Walk } from "./walk.js";
import { said } from "./words.js";
import { ProgramPane } from "./program.js";
import { GraphPane } from "./graph.js";
import { Stage } from "./stage.js";
import { Transport } from "./transport.js";
import { showCheck } from "./check.js";

export class Page {
  constructor(edit) {
    const go = (position) => this.go(position);
    this.program = new ProgramPane(at("program"), go);
    const buttons = { rolled: at("rolled"), unrolled: at("unrolled"), fit: at("fit") };
    this.graph = new GraphPane(at("graph"), buttons, go);
    this.stage = new Stage(at("step"), edit);
    const turn = () => this.graph.toggle();
    this.transport = new Transport(go, { turn, help: () => at("help").showModal() });
    at("help-open").addEventListener("click", () => at("help").showModal());
    at("help-close").addEventListener("click", () => at("help").close());
    at("theme").addEventListener("click", () => this.turnTheme());
    this.position = 0;
    this.shown = [];
  }

  /** Takes a scene; the place in the walk is kept where there is one. */
  load(scene, { keep = true, said: words = "" } = {}) {
    const before = this.walk;
    this.walk = new Walk(scene);
    if (!keep || !before) this.position = 0;
    else if (this.position === before.last) this.position = this.walk.last;
    at("title").textContent = scene.title;
    at("type").textContent = scene.type;
    fill(
      at("remarks"),
      scene.remarks.map((remark) => make("li", {}, remark)),
    );
    at("remarks").hidden = scene.remarks.length === 0;
    showCheck(scene.check);
    this.go(this.position, words);
  }

  go(position, words = "") {
    if (!this.walk) return;
    if (this.walk.last < 0) {
      fill(at("step"), make("p", { class: "none" }, "Nothing was recorded."));
      return;
    }
    this.position = Math.max(0, Math.min(position, this.walk.last));
    const text = said(this.walk, this.position);
    document.body.dataset.phase = this.walk.at(this.position).phase;
    this.stage.show(this.walk, this.position);
    this.program.show(this.walk, this.position);
    this.graph.show(this.walk, this.position);
    this.transport.show(this.walk, this.position, text);
    at("said").textContent = `${words} ${text}`.trim();
    for (const notice of this.shown) notice(this.walk, this.position);
  }

  /** What went wrong, in words; nothing takes that away but the next success. */
  fail(message) {
    at("trouble").hidden = !message;
    at("trouble-words").textContent = message;
  }

  turnTheme() {
    const root = document.documentElement;
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    at("theme").setAttribute("aria-label", isDark ? "Dark colours" : "Light colours");
    this.go(this.position);
  }
}
