// The walk through a scene: which positions there are, and what holds at each. No elements here.
//
// Positions count the lines forward, then the events backward, then the end, where all gradients stand.

const key = (ref) => `${ref.line}.${ref.output}`;

export class Walk {
  constructor(scene) {
    this.scene = scene;
    this.places = new Map(scene.lines.map((line, place) => [line.number, place]));
    this.forward = scene.lines.length;
    this.events = scene.backward.length;
    this.last = this.forward + this.events - (this.events > 0 ? 0 : 1);
    this.arrivals = new Map();
    this.waiting = new Map();
    this.pulls = new Map();
    this.uses = new Map();
    this.named = new Map();
    scene.lines.forEach((line) => this.noteUses(line));
    scene.backward.forEach((event, place) => this.note(event, place));
  }

  noteUses(line) {
    this.named.set(line.name, (this.named.get(line.name) ?? 0) + 1);
    for (const input of line.inputs) {
      if (input.line === undefined) continue;
      if (!this.uses.has(key(input))) this.uses.set(key(input), []);
      this.uses.get(key(input)).push(line.number);
    }
  }

  note(event, place) {
    const put = (map, ref, what) => {
      if (!map.has(key(ref))) map.set(key(ref), []);
      map.get(key(ref)).push({ place, ...what });
    };
    if (event.kind === "seed")
      put(this.arrivals, event.to, { value: event.value, sum: event.value, arrived: 1, of: 1, from: null });
    if (event.kind === "pull") {
      this.pulls.set(event.line, place);
      for (const give of event.gives) put(this.arrivals, give.to, { ...give, from: event.line });
      for (const wait of event.waits) put(this.waiting, wait.to, { ...wait, from: event.line });
    }
    if (event.kind === "product") {
      put(this.arrivals, event.to, {
        value: event.value,
        sum: event.sum,
        from: null,
        count: event.count,
        isProduct: true,
      });
      put(this.waiting, event.to, { waiting: 0, isProduct: true });
    }
  }

  line(number) {
    return this.scene.lines[this.places.get(number)];
  }

  /** What stands at a position: a line, an event, or the end. */
  at(position) {
    if (position < this.forward) return { phase: "forward", line: this.scene.lines[position] };
    const place = position - this.forward;
    if (place >= this.events) return { phase: "end", line: null };
    const event = this.scene.backward[place];
    const number = event.kind === "pull" ? event.line : event.to.line;
    return { phase: "backward", event, place, line: this.line(number) };
  }

  isBackward(position) {
    return position >= this.forward;
  }

  /** The event that a position stands at, or before the first -1. */
  eventAt(position) {
    return Math.min(position - this.forward, this.events - 1);
  }

  /** What has arrived at a value until a position, in order. */
  arrived(ref, position) {
    const until = this.eventAt(position);
    return (this.arrivals.get(key(ref)) ?? []).filter((arrival) => arrival.place <= until);
  }

  /** The products that wait at a value. */
  waits(ref, position) {
    const until = this.eventAt(position);
    const all = (this.waiting.get(key(ref)) ?? []).filter((wait) => wait.place <= until);
    const done = all.findLastIndex((wait) => wait.isProduct);
    return all.slice(done + 1);
  }

  /** How far the cotangent of a line's value has come: none, some, all, or its line has passed it on. */
  status(line, position) {
    if (!this.isBackward(position) || !line.requires_grad) return null;
    const until = this.eventAt(position);
    const refs = line.outputs.map((_, output) => ({ line: line.number, output }));
    const all = refs.flatMap((ref) => this.arrivals.get(key(ref)) ?? []);
    const here = all.filter((arrival) => arrival.place <= until);
    const waits = refs.reduce((sum, ref) => sum + this.waits(ref, position).length, 0);
    const pulled = this.pulls.get(line.number);
    const isPassed = pulled !== undefined && pulled <= until;
    return {
      arrived: here.length,
      of: all.length,
      waits,
      isPassed,
      isAll: all.length > 0 && here.length === all.length,
    };
  }

  /** The sum at a value at a position, or null where nothing has arrived. */
  sum(ref, position) {
    return this.arrived(ref, position).at(-1)?.sum ?? null;
  }

  /** Where a click on a line leads: its line forward; backward, where it passes its cotangent on or gets the last part of it. */
  positionOf(number, position) {
    if (!this.isBackward(position) || this.events === 0) return this.places.get(number);
    const pulled = this.pulls.get(number);
    if (pulled !== undefined) return this.forward + pulled;
    const line = this.line(number);
    const all = line.outputs.flatMap((_, output) => this.arrivals.get(key({ line: number, output })) ?? []);
    const last = all.reduce((last, arrival) => Math.max(last, arrival.place), -1);
    return last >= 0 ? this.forward + last : this.places.get(number);
  }

  /** Whether a line's name is its alone: in a loop, a variable has it at each step. */
  isNamed(line) {
    return line.name !== "" && this.named.get(line.name) === 1;
  }

  /** How a value is called: by its name, or by its line, or by both. */
  name(ref) {
    const line = this.line(ref.line);
    if (this.isNamed(line) && line.outputs.length === 1) return line.name;
    const several = line.outputs.length > 1 ? `.${ref.output}` : "";
    return `${line.name} %${ref.line}${several}`.trim();
  }

  /** The lines with a gradient at the end: what the backward was for. */
  results() {
    return this.scene.lines.filter((line) => line.operation === "leaf" && line.requires_grad);
  }
}
