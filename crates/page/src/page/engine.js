// Wengert itself, as WebAssembly: it computes what the page shows.

/** The bytes of a text in base64 that were compressed by gzip. */
async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export class Engine {
  constructor(text) {
    this.text = text;
    this.module = null;
    this.instance = null;
  }

  /** A running instance: the one there is, or, after a trap, a new one. */
  async running() {
    this.module ??= await WebAssembly.compile(await unpacked(this.text));
    this.instance ??= await WebAssembly.instantiate(this.module, {});
    return this.instance.exports;
  }

  /** The answer to a request; an error in words if it fails. */
  async ask(request) {
    const engine = await this.running();
    const bytes = new TextEncoder().encode(JSON.stringify(request));
    let length;
    try {
      const room = engine.input(bytes.length);
      new Uint8Array(engine.memory.buffer, room, bytes.length).set(bytes);
      length = engine.answer();
    } catch (trap) {
      this.instance = null;
      throw new Error(failureSaid(engine, trap));
    }
    return JSON.parse(text(engine, length));
  }
}

function text(engine, length) {
  return new TextDecoder().decode(new Uint8Array(engine.memory.buffer, engine.output(), length));
}

/** What a panic left behind, or the words of the trap. */
function failureSaid(engine, trap) {
  try {
    const length = engine.failure();
    if (length > 0) return text(engine, length);
  } catch {
    // Then the trap has to do.
  }
  return `the computation stopped: ${trap.message}`;
}
