// Buttons, slider and keys that move through the walk.

import { at } from "./dom.js";

const PAUSE = 900;

export class Transport {
  constructor(go, { turn, help }) {
    this.go = go;
    this.timer = null;
    this.slider = at("slider");
    this.slider.addEventListener("input", () => this.move(Number(this.slider.value)));
    const on = (id, act) => at(id).addEventListener("click", act);
    on("first", () => this.move(0));
    on("back", () => this.move(this.position - 1));
    on("play", () => this.toggle());
    on("next", () => this.move(this.position + 1));
    on("last", () => this.move(this.walk.last));
    on("phase-forward", () => this.move(0));
    on("phase-backward", () => this.move(this.walk.forward));
    this.keys = {
      ArrowRight: () => this.move(this.position + 1),
      ArrowDown: () => this.move(this.position + 1),
      ArrowLeft: () => this.move(this.position - 1),
      ArrowUp: () => this.move(this.position - 1),
      PageDown: () => this.move(this.position + 10),
      PageUp: () => this.move(this.position - 10),
      Home: () => this.move(0),
      End: () => this.move(this.walk.last),
      " ": () => this.toggle(),
      f: () => this.move(0),
      b: () => this.move(this.walk.forward),
      u: turn,
      "?": help,
    };
    document.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      !this.walk ||
      document.querySelector("dialog[open]")
    )
      return;
    const target = event.target;
    if (target.closest("input:not([type=range]), textarea, select")) return;
    if (event.key === " " && target.closest("button, summary")) return;
    const isSlider = target === this.slider;
    const act = this.keys[event.key];
    if (!act || (isSlider && event.key === " ")) return;
    event.preventDefault();
    act();
  }

  move(position) {
    this.stop();
    this.go(position);
  }

  toggle() {
    if (this.timer !== null) {
      this.stop();
      return;
    }
    if (this.position >= this.walk.last) this.go(0);
    this.timer = setInterval(
      () => {
        if (this.position >= this.walk.last) this.stop();
        else this.go(this.position + 1);
      },
      PAUSE / Number(at("pace").value),
    );
    this.button(true);
  }

  stop() {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.button(false);
  }

  button(isPlaying) {
    at("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    at("play").classList.toggle("playing", isPlaying);
  }

  show(walk, position, words) {
    this.walk = walk;
    this.position = position;
    this.slider.max = String(walk.last);
    this.slider.value = String(position);
    this.slider.setAttribute("aria-valuetext", words);
    this.slider.style.setProperty(
      "--turn",
      `${(100 * Math.min(walk.forward, walk.last)) / Math.max(1, walk.last)}%`,
    );
    // Not `disabled`, which would take the focus away at the end of a walk.
    for (const id of ["first", "back"]) at(id).setAttribute("aria-disabled", String(position === 0));
    for (const id of ["next", "last"]) at(id).setAttribute("aria-disabled", String(position === walk.last));
    const isBackward = walk.isBackward(position);
    at("phase-forward").setAttribute("aria-pressed", String(!isBackward));
    at("phase-backward").setAttribute("aria-pressed", String(isBackward));
    at("phase-backward").disabled = walk.events === 0;
    at("count").textContent = `${position + 1} / ${walk.last + 1}`;
  }
}
