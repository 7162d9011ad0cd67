// Asks the engine: node engine.mjs MODULE, requests on standard input, one a line, and answers on standard output.
import { readFileSync } from "node:fs";

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
if (WebAssembly.Module.imports(module).length > 0) throw new Error("the engine has imports");
let engine = new WebAssembly.Instance(module).exports;

const read = (length) => new TextDecoder().decode(new Uint8Array(engine.memory.buffer, engine.output(), length));

function ask(request) {
    const bytes = new TextEncoder().encode(request);
    // First the room, which may move the memory.
    const room = engine.input(bytes.length);
    new Uint8Array(engine.memory.buffer, room, bytes.length).set(bytes);
    try {
        return read(engine.answer());
    } catch {
        // It is of no more use once it has failed.
        const message = read(engine.failure());
        engine = new WebAssembly.Instance(module).exports;
        return JSON.stringify({ failed: message });
    }
}

const answers = readFileSync(0, "utf8").split("\n").filter((line) => line).map(ask);
console.log(answers.join("\n"));
