// Runs the training in WebAssembly: node train.mjs MODULE PLAINLY, which prints a number a line.
import { readFileSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { memory, train, bits } = instance.exports;
const count = train(Number(process.argv[3]));
console.log([...new Uint32Array(memory.buffer, bits(), count)].join("\n"));
