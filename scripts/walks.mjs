/**
 * Number of files, functions and calls of the package that a task runs, by V8's coverage of one warm call. Kernels are not counted.
 *
 *   npm run walks              the table
 *   npm run walks -- --list    and for each walk its files with their functions
 */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { SourceMap } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as snn from "jarvis-snn";
import { readEvents, toFrames, writeEvents } from "jarvis-snn/events";
import { threads } from "jarvis-snn/threads";
import { root } from "./entries.mjs";
import { nanoStep } from "./nano-step.mjs";

const { AdaptiveLIF, Adam, Conv2d, crossEntropy, LIF, Linear, manualSeed, meanOverTime, poissonEncode, rand, tape } =
  snn;
const { list } = parseArgs({ options: { list: { type: "boolean", default: false } } }).values;

const session = new Session();
session.connect();
await session.post("Profiler.enable");

/** The source file of an offset in a file of dist/. */
const maps = new Map();
function sourceAt(url, offset) {
  if (!maps.has(url)) {
    const path = fileURLToPath(url);
    const starts = [0];
    for (const { index } of readFileSync(path, "utf8").matchAll(/\n/g)) starts.push(index + 1);
    maps.set(url, { starts, map: new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8"))) });
  }
  const { starts, map } = maps.get(url);
  const line = starts.findLastIndex((start) => start <= offset);
  const { originalSource } = map.findEntry(line, offset - starts[line]);
  return originalSource === undefined ? null : relative(root, fileURLToPath(new URL(originalSource, url)));
}

/** Runs fn and returns the code that ran: for each file of the sources its functions with their numbers of calls. */
async function passed(fn) {
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await session.post("Profiler.takePreciseCoverage");
  const result = fn();
  if (result instanceof Promise) await result;
  const { result: scripts } = await session.post("Profiler.takePreciseCoverage");
  await session.post("Profiler.stopPreciseCoverage");
  const files = new Map();
  for (const { url, functions } of scripts) {
    if (!url.includes("/dist/")) continue;
    for (const { functionName, ranges } of functions) {
      const [{ count, startOffset, endOffset }] = ranges;
      if (count === 0 || startOffset === 0) continue; // a whole file starts at 0
      // At the start of a function the map may still point to the previous file.
      const file = sourceAt(url, (startOffset + endOffset) >> 1);
      if (file === null) continue;
      if (!files.has(file)) files.set(file, []);
      files.get(file).push({ name: functionName || "(anonymous)", count });
    }
  }
  return files;
}

const B = 64;
const T = 25;
manualSeed(0);
const x = rand([B, 32]);
const y = Uint8Array.from({ length: B }, (_, i) => i & 1);

/** A training step of the toy network around this neuron. */
function toy(neuron) {
  const [fc1, fc2] = [new Linear(32, 128), new Linear(128, 2)];
  const optimizer = new Adam([...fc1.parameters(), ...neuron.parameters(), ...fc2.parameters()], { lr: 1e-3 });
  return () => {
    tape(() => {
      const spikes = neuron.forward(fc1.forward(poissonEncode(x, { timesteps: T })));
      optimizer.zeroGrad();
      crossEntropy(fc2.forward(meanOverTime(spikes)), y).backward();
    });
    optimizer.step();
  };
}

/** A training step of nano's network, with only the parts that it needs. */
function nano() {
  const { input, step } = nanoStep(0);
  const batch = input(x.toFloat32Array());
  return () => step(batch, y);
}

function convolution() {
  const conv = new Conv2d(12, 32, 5);
  const spikes = poissonEncode(rand([16, 12, 12, 12]).mul(0.2), { timesteps: T });
  return () =>
    tape(() => {
      conv.zeroGrad();
      conv.forward(spikes).square().sum().backward();
    });
}

function recording() {
  const column = (type, value) => type.from({ length: 20000 }, (_, i) => value(i));
  const events = {
    t: column(Float64Array, (i) => 10 * i),
    x: column(Uint16Array, (i) => i % 128),
    y: column(Uint16Array, (i) => (7 * i) % 128),
    p: column(Uint8Array, (i) => i & 1),
    width: 128,
    height: 128,
  };
  const file = writeEvents(events, "evt3");
  return async () => toFrames(await readEvents(file), { nTimeBins: 10 }).dispose();
}

/** Walks in their order: each returns what is counted, after it has run it `warm` times. More than `most` files are an error. */
const WALKS = [
  { name: "new LIF()", warm: 1, make: () => () => new LIF() },
  { name: "a first new AdaptiveLIF()", warm: 0, make: () => () => new AdaptiveLIF({ threshold: 0.8 }) },
  { name: "a second new AdaptiveLIF()", warm: 0, make: () => () => new AdaptiveLIF({ threshold: 0.8 }) },
  { name: "a training step of the toy", warm: 2, make: () => toy(new LIF({ beta: 0.95 })) },
  { name: "the same, compiled LIF", warm: 2, make: () => toy(new LIF({ beta: 0.95, refractorySteps: 2 })) },
  { name: "a step of nano in ops of the engine", warm: 2, most: 20, make: nano },
  { name: "Conv2d and its gradient, two threads", warm: 2, threads: 2, make: convolution },
  { name: "a file of events to frames", warm: 1, make: recording },
];

console.log(`${"".padEnd(38)}files  functions   calls`);
for (const { name, warm, make, threads: count = 1, most = Infinity } of WALKS) {
  await threads(count);
  const run = make();
  for (let i = 0; i < warm; i++) await run();
  const files = await passed(run);
  await threads(1);
  const functions = [...files.values()].flat();
  const calls = functions.reduce((sum, { count }) => sum + count, 0);
  console.log(
    `${name.padEnd(38)}${`${files.size}`.padStart(5)}${`${functions.length}`.padStart(11)}${`${calls}`.padStart(8)}`,
  );
  if (files.size > most) {
    console.error(`${name}: expected at most ${most} files, got ${files.size}`);
    process.exitCode = 1;
  }
  if (!list) continue;
  const total = (entries) => entries.reduce((sum, { count }) => sum + count, 0);
  for (const [file, entries] of [...files].sort(([, a], [, b]) => total(b) - total(a))) {
    console.log(`    ${file.padEnd(34)}${entries.map(({ name, count }) => `${name}×${count}`).join(" ")}`);
  }
}
session.disconnect();
