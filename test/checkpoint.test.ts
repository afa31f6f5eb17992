/** Checkpoints: a resumed run goes on bit for bit, and no accident, to the file or to the process, leaves half a state. */
import { execFileSync, spawn } from "node:child_process";
import fs, {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  Adam,
  AdamW,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  crossEntropy,
  evaluate,
  fit,
  Generator,
  LambdaLR,
  Linear,
  loadSafetensors,
  manualSeed,
  memoryStats,
  OneCycleLR,
  type Optimizer,
  poissonEncode,
  ReduceLROnPlateau,
  rand,
  readSafetensors,
  type Scheduler,
  SGD,
  StepLR,
  saveSafetensors,
  type Tensor,
  tape,
} from "jarvis-snn";
import { resumeCheckpoint, saveCheckpoint } from "jarvis-snn/node";
import { build } from "vite";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { defaultGenerator } from "../engine/generator.ts";
import { makeRun, Network } from "./support/checkpoint-run.ts";
import { numbers } from "./support/sides.ts";
import { bits, values } from "./support/tensors.ts";

const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

type Run = ReturnType<typeof makeRun>;

/** Everything that a checkpoint holds. */
const stateOf = ({ model, optimizer, generator, scheduler }: Run) => ({
  weights: model.parameters().map(bits),
  optimizer: optimizer.stateDict(),
  scheduler: scheduler?.stateDict(),
  generators: [generator.getState(), defaultGenerator.getState()],
});

test("resume: two epochs, a checkpoint and three more in new objects are five epochs, bit for bit", async () => {
  manualSeed(1);
  const straight = makeRun(1);
  const losses = await straight.train(5);
  const expected = stateOf(straight);

  manualSeed(1);
  const first = makeRun(1);
  const start = await first.train(2);
  saveCheckpoint(at("five"), { ...first, epoch: 2 });
  await first.train(1); // what happens to the run afterwards does not matter

  manualSeed(77);
  const resumed = makeRun(33);
  rand([5]);
  expect(resumeCheckpoint(at("five"), resumed)).toEqual({ epoch: 2 });
  expect([...start, ...(await resumed.train(3))]).toEqual(losses);
  expect(stateOf(resumed)).toEqual(expected);
});

const SCHEDULES: [name: string, make: (optimizer: Optimizer) => Scheduler][] = [
  ["StepLR", (optimizer) => new StepLR(optimizer, { stepSize: 2, gamma: 0.5 })],
  ["LambdaLR", (optimizer) => new LambdaLR(optimizer, { lrLambda: (epoch) => 1 / (1 + epoch) })],
  ["CosineAnnealingLR", (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 4 })],
  ["CosineAnnealingWarmRestarts", (optimizer) => new CosineAnnealingWarmRestarts(optimizer, { t0: 1, tMult: 2 })],
  ["OneCycleLR, momentum too", (optimizer) => new OneCycleLR(optimizer, { maxLr: 0.02, totalSteps: 6 })],
  ["ReduceLROnPlateau", (optimizer) => new ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.5 })],
];

test.each(SCHEDULES)("resume: a learning rate that %s changes goes on where it was", async (_name, make) => {
  manualSeed(4);
  const straight = makeRun(2, make);
  const losses = await straight.train(5);
  manualSeed(4);
  const first = makeRun(2, make);
  const start = await first.train(2);
  saveCheckpoint(at("schedule"), { ...first, epoch: 2 });
  manualSeed(5);
  const resumed = makeRun(7, make);
  resumeCheckpoint(at("schedule"), resumed);
  expect([...start, ...(await resumed.train(3))]).toEqual(losses);
  expect(stateOf(resumed)).toEqual(stateOf(straight));
  expect(resumed.optimizer.lr).not.toBe(makeRun(2, make).optimizer.lr);
});

test("resume: a learning rate that was set by hand is that of the file, whatever the scheduler set last", async () => {
  const make = (optimizer: Optimizer) => new StepLR(optimizer, { stepSize: 1 });
  const saved = makeRun(1, make);
  await saved.train(1);
  saved.optimizer.lr = 0.25;
  saveCheckpoint(at("rate"), { ...saved, epoch: 1 });
  const resumed = makeRun(3, make);
  resumed.optimizer.lr = 0.5;
  expect(() => resumeCheckpoint(at("rate"), { ...resumed, model: new Linear(1, 1) })).toThrow(RangeError);
  expect(resumed.optimizer.lr).toBe(0.5);
  resumeCheckpoint(at("rate"), resumed);
  expect(resumed.optimizer.lr).toBe(0.25);
});

test("resume: a fit that saves every epoch and is stopped in the middle of one goes on as if it had not been", async () => {
  const make = (optimizer: Optimizer) => new ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.5 });
  const encode = (x: Tensor) => poissonEncode(x, { timesteps: 5 });
  const go = async (seed: number, { stopAt = 0, resume = false } = {}) => {
    manualSeed(seed);
    const run = makeRun(seed, make);
    const start = resume ? resumeCheckpoint(at("fit"), run).epoch : 0;
    const controller = new AbortController();
    const { model, loader, optimizer, scheduler } = run;
    const done = fit(model, loader, {
      epochs: 5 - start,
      optimizer,
      loss: crossEntropy,
      encode,
      validate: () => evaluate(model, loader, (output, y) => crossEntropy(output, y as Int32Array).item(), { encode }),
      scheduler: scheduler as Scheduler,
      onBatch: ({ epoch, batch }) => {
        if (epoch === stopAt && batch === 2) controller.abort(new Error("stopped"));
      },
      onEpoch: ({ epoch }) => {
        if (stopAt > 0) saveCheckpoint(at("fit"), { ...run, epoch: start + epoch });
      },
      signal: controller.signal,
    });
    return { run, done };
  };
  const straight = await go(6);
  await straight.done;
  const stopped = await go(6, { stopAt: 3 });
  await expect(stopped.done).rejects.toThrow("stopped");
  const resumed = await go(8, { resume: true });
  expect((await resumed.done).length).toBe(3);
  expect(stateOf(resumed.run).weights).toEqual(stateOf(straight.run).weights);
  expect(resumed.run.scheduler?.stateDict()).toEqual(straight.run.scheduler?.stateDict());
});

test("resume: into the run that saved, and from a checkpoint before the first step", async () => {
  manualSeed(2);
  const run = makeRun(2);
  saveCheckpoint(at("start"), { ...run, epoch: 0 });
  const losses = await run.train(2);
  saveCheckpoint(at("second"), { ...run, epoch: 2 });
  const third = await run.train(1);
  expect(resumeCheckpoint(at("second"), run)).toEqual({ epoch: 2 });
  expect(await run.train(1)).toEqual(third);
  expect(resumeCheckpoint(at("start"), run)).toEqual({ epoch: 0 });
  expect(await run.train(3)).toEqual([...losses, ...third]);
});

test("resume: without a generator the default one goes on", () => {
  const { model, optimizer } = makeRun(3);
  manualSeed(8);
  rand([3]);
  saveCheckpoint(at("default"), { model, optimizer, epoch: 7 });
  const expected = values(rand([9]));
  manualSeed(9);
  expect(resumeCheckpoint(at("default"), { model, optimizer })).toEqual({ epoch: 7 });
  expect(values(rand([9]))).toEqual(expected);
});

test("save: the file is a safetensors file whose names say what is what", async () => {
  const run = makeRun(5);
  await run.train(1);
  saveCheckpoint(at("names"), { ...run, epoch: 1 });
  const { tensors, metadata } = loadSafetensors(readFileSync(at("names")));
  for (const [name, { shape, data }] of Object.entries(run.model.stateDict())) {
    expect(tensors[`model.${name}`]?.shape).toEqual(shape);
    expect(bits(tensors[`model.${name}`]?.data as Float32Array)).toEqual(bits(data));
  }
  const { slots } = run.optimizer.stateDict();
  expect(run.model.parameters().length).toBe(slots.length);
  for (const [i, [name, p]] of run.model.namedParameters().entries()) {
    for (const slot of ["m", "v"]) {
      const saved = tensors[`optimizer.${name}.${slot}`] as Tensor;
      expect(saved.shape, name).toEqual(p.shape);
      expect(bits(saved)).toEqual(bits(slots[i]?.[slot] as Float32Array));
    }
  }
  expect(Object.keys(tensors).filter((name) => name.startsWith("optimizer.slots"))).toEqual([]);
  expect(JSON.parse(metadata.parameters as string)).toEqual(run.model.namedParameters().map(([name]) => name));
  expect(metadata).toMatchObject({ format: "jarvis-snn checkpoint 1", epoch: "1" });
  expect(JSON.parse(metadata.generator as string)).toEqual(run.generator.getState());
  for (const t of Object.values(tensors)) t.dispose();
});

test("resume: the state of an optimizer finds its parameters by name, in whatever order they are", async () => {
  const saved = makeRun(6);
  await saved.train(1);
  const { model, generator } = saved;
  const reversed = new Adam([...model.parameters()].reverse(), saved.optimizer.options);
  const { steps, slots, ...rest } = saved.optimizer.stateDict();
  reversed.loadStateDict({ ...rest, steps: [...steps].reverse(), slots: [...slots].reverse() });
  saveCheckpoint(at("reversed"), { model, generator, optimizer: reversed, epoch: 1 });
  const run = makeRun(7);
  resumeCheckpoint(at("reversed"), run);
  expect(stateOf(run)).toEqual(stateOf(saved));
  const wide = { ...run, optimizer: new Adam([...run.model.parameters(), ...new Linear(1, 1).parameters()]) };
  expect(() => resumeCheckpoint(at("reversed"), wide)).toThrow("steps must have 8 entries, got 6");
});

test("resume: parameters that are none of the model keep their order; an optimizer of others is refused", () => {
  const { model, generator } = makeRun(6);
  const [first, second] = [new Linear(2, 2), new Linear(2, 2)];
  const optimizer = (own: Linear) => new SGD([...own.parameters(), model.fc1.weight], { momentum: 0.5 });
  const saved = optimizer(first);
  for (const p of saved.params) tape(() => p.square().sum().backward());
  saved.step();
  saveCheckpoint(at("strangers"), { model, generator, optimizer: saved, epoch: 1 });
  const { arrays } = readSafetensors(readFileSync(at("strangers")));
  expect(Object.keys(arrays).filter((name) => name.startsWith("optimizer"))).toEqual([
    "optimizer.slots.0.momentum",
    "optimizer.slots.1.momentum",
    "optimizer.fc1.weight.momentum",
  ]);
  const resumed = optimizer(second);
  resumeCheckpoint(at("strangers"), { model, generator, optimizer: resumed });
  expect(resumed.stateDict()).toEqual(saved.stateDict());
  const other = new SGD([...second.parameters(), model.fc2.weight], { momentum: 0.5 });
  expect(() => resumeCheckpoint(at("strangers"), { model, generator, optimizer: other })).toThrow(
    'loadStateDict: expected the parameters [null, null, "fc1.weight"] as in the file, got [null, null, "fc2.weight"]',
  );
});

/** A scheduler of somebody else: any state of plain things goes through a checkpoint. */
class Foreign {
  state: unknown;
  constructor(state: unknown) {
    this.state = state;
  }
  stateDict(): unknown {
    return this.state;
  }
  loadStateDict(state: unknown): void {
    if (state === "refused") throw new Error("refused on purpose");
    this.state = state;
  }
}

test("save: any state of numbers, text, lists, objects and arrays comes back exactly", () => {
  const { model, optimizer } = makeRun(6);
  const special = [0, -0, 0.1, 1e308, 5e-324, Infinity, -Infinity, Number.NaN, 2 ** 53 - 1];
  const state = {
    special,
    nested: { deep: [{ values: Float32Array.of(1, -0, Number.NaN), none: null }, [[]]] },
    flags: [true, false],
    empty: new Float32Array(0),
    'ü"\n$': 'text\u{1f600}\\"',
    __proto__x: {},
  };
  saveCheckpoint(at("foreign"), { model, optimizer, epoch: 0, scheduler: new Foreign({ ...state, left: undefined }) });
  const scheduler = new Foreign(null);
  resumeCheckpoint(at("foreign"), { model, optimizer, scheduler });
  expect(scheduler.state).toEqual(state);
  const { special: got } = scheduler.state as typeof state;
  special.forEach((value, i) => expect(Object.is(got[i], value), String(value)).toBe(true));
});

test("save: what cannot come back is a TypeError with its path, a wrong epoch a RangeError, and nothing is written", () => {
  const { model, optimizer } = makeRun(6);
  const save = (state: unknown) => () =>
    saveCheckpoint(at("never"), { model, optimizer, epoch: 0, scheduler: new Foreign(state) });
  const wrong: [state: unknown, path: string, got: string][] = [
    [{ a: [1, () => 1] }, "scheduler.a.1", "function"],
    // biome-ignore lint/suspicious/noSparseArray: on purpose
    [{ a: [1, , 2] }, "scheduler.a.1", "undefined"],
    [{ a: new Map() }, "scheduler.a", "Map"],
    [{ a: Float64Array.of(1) }, "scheduler.a", "Float64Array"],
    [{ a: 1n }, "scheduler.a", "1n"],
    [{ a: Symbol("s") }, "scheduler.a", "Symbol(s)"],
    [{ a: { $number: "1" } }, "scheduler.a", "Object"],
    [{ a: Object.create({ b: 1 }) }, "scheduler.a", "Object"],
    [undefined, "scheduler", "undefined"],
  ];
  for (const [state, path, got] of wrong) {
    expect(save(state)).toThrow(TypeError);
    expect(save(state)).toThrow(
      `saveCheckpoint: expected ${path} to be a number, string, boolean, null, list, plain object or Float32Array, got ${got}`,
    );
  }
  const twice = { a: { b: Float32Array.of(1) }, "a.b": Float32Array.of(2) };
  expect(save(twice)).toThrow(new RangeError("saveCheckpoint: expected one array of the name scheduler.a.b, got two"));
  const cyclic: Record<string, unknown> = {};
  cyclic.itself = [cyclic];
  const deep = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
  for (const state of [cyclic, deep]) {
    expect(save(state)).toThrow(RangeError);
    expect(save(state)).toThrow(
      /^saveCheckpoint: expected at most 100 levels of lists and objects, got scheduler.{60,80}…$/,
    );
  }
  const long = "saveCheckpoint: expected a state of the scheduler of at most 16777216 characters as JSON, got more";
  expect(save("x".repeat(2 ** 24 - 1))).toThrow(long);
  // The platform says so of text longer than a string can be, after seconds.
  const json = vi.spyOn(JSON, "stringify").mockImplementation(() => {
    throw new RangeError("Invalid string length");
  });
  expect(save("x")).toThrow(long);
  json.mockRestore();
  for (const epoch of [-1, 0.5, Number.NaN, "1", null, Symbol("s"), [1]]) {
    const act = () => saveCheckpoint(at("never"), { model, optimizer, epoch: epoch as number });
    expect(act).toThrow(typeof epoch === "number" ? RangeError : TypeError);
    expect(act).toThrow(/^saveCheckpoint: (epoch must be an integer ≥ 0|expected epoch as a number), got /);
  }
  expect(readdirSync(folder)).not.toContain("never");
});

test("save: what the file system refuses passes through, and leaves no file behind", () => {
  const { model, optimizer } = makeRun(6);
  mkdirSync(at("occupied/inside"), { recursive: true });
  expect(() => saveCheckpoint(at("missing/run"), { model, optimizer, epoch: 0 })).toThrow(/ENOENT/);
  expect(() => resumeCheckpoint(at("missing"), { model, optimizer })).toThrow(/ENOENT/);
  symlinkSync("loop", at("loop"));
  expect(() => saveCheckpoint(at("loop"), { model, optimizer, epoch: 0 })).toThrow(/ELOOP/);
  writeFileSync(at("full"), "old");
  const fail = () => {
    throw new Error("no space left");
  };
  const act = () => saveCheckpoint(at("full"), { model, optimizer, epoch: 0 });
  expect(() => ahead("writeSync", fail, act)).toThrow("no space left");
  expect(readFileSync(at("full"), "utf8")).toBe("old");
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

/** Runs `act` with `fn` in front of every call of a function of the file system, whoever has imported that. */
function ahead(name: "writeSync" | "renameSync", fn: () => void, act: () => void): void {
  const original = fs[name] as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
    fn();
    return original(...args);
  }) as never);
  syncBuiltinESMExports();
  try {
    act();
  } finally {
    spy.mockRestore();
    syncBuiltinESMExports();
  }
}

/** The names of the temporary files that there are at the end of a save, before the new file takes its place. */
function temporaries(path: string): string[] {
  const { model, optimizer } = makeRun(6);
  let names: string[] = [];
  const look = () => {
    names = readdirSync(folder).filter((name) => name.endsWith(".tmp"));
  };
  ahead("renameSync", look, () => saveCheckpoint(path, { model, optimizer, epoch: 0 }));
  return names;
}

test("save: anything but a file at the path, or behind a link there, is refused and stays", async () => {
  const { model, optimizer } = makeRun(6);
  mkdirSync(at("occupied"), { recursive: true });
  execFileSync("mkfifo", [at("fifo")]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(at("socket"), resolve));
  symlinkSync("fifo", at("to-fifo"));
  symlinkSync("to-fifo", at("to-to-fifo"));
  const wrong = {
    occupied: "a directory",
    fifo: "a pipe or socket",
    socket: "a pipe or socket",
    "to-to-fifo": "a pipe or socket",
  };
  const before = readdirSync(folder);
  for (const [name, kind] of Object.entries(wrong)) {
    const { mode, ino } = statSync(at(name));
    expect(() => saveCheckpoint(at(name), { model, optimizer, epoch: 0 })).toThrow(
      new RangeError(`saveCheckpoint: expected a file at ${at(name)}, got ${kind}`),
    );
    expect(statSync(at(name))).toMatchObject({ mode, ino });
  }
  expect(readdirSync(folder)).toEqual(before);
  expect(() => resumeCheckpoint(at("occupied"), { model, optimizer })).toThrow(
    new RangeError(`resumeCheckpoint: expected a file at ${at("occupied")}, got a directory`),
  );
  await new Promise((resolve) => server.close(resolve));
});

test("save, resume: what is no path of a file is an error with the value", () => {
  const { model, optimizer } = makeRun(6);
  const [type, range]: [unknown[], string[]] = [
    [1, undefined, null, new URL("file:///a"), Symbol("s"), ["a"]],
    ["", "a/", "a\0"],
  ];
  for (const path of [...type, ...range] as string[]) {
    for (const act of [
      () => saveCheckpoint(path, { model, optimizer, epoch: 0 }),
      () => resumeCheckpoint(path, { model, optimizer }),
    ]) {
      expect(act).toThrow(typeof path === "string" ? RangeError : TypeError);
      expect(act).toThrow(/^(save|resume)Checkpoint: expected the path of a file, got /);
    }
  }
});

test("save: a link that is planted where temporary files have been is not followed", () => {
  writeFileSync(at("precious"), "precious");
  const [name = ""] = temporaries(at("planted"));
  for (const guess of [name, `planted.${process.pid}-0.tmp`]) symlinkSync("precious", at(guess));
  const [next, ...others] = temporaries(at("planted")).filter(
    (each) => !lstatSync(at(each), { throwIfNoEntry: false })?.isSymbolicLink(),
  );
  expect(others).toEqual([]);
  expect(next).not.toBe(name);
  expect(readFileSync(at("precious"), "utf8")).toBe("precious");
  expect(lstatSync(at("planted")).isFile()).toBe(true);
  for (const guess of [name, `planted.${process.pid}-0.tmp`]) rmSync(at(guess));
});

/** The error that a function throws. */
function errorOf(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error, got none");
}

/** Whether the platform tells which processes can see each other. */
const isTold = existsSync("/proc/self/ns/pid");

test("save: leftovers of writers that are gone are removed, those that may belong to a living one are not", () => {
  const [name = ""] = temporaries(at("run"));
  const [, here = "", thread = ""] = /^run\.(.{8})\.\d+-(\d+)\..{8}\.tmp$/.exec(name) ?? [];
  expect(here === "--------").toBe(!isTold);
  const gone = 2 ** 30;
  const { pid, ppid } = process;
  const [young, middle, old] = [0, 5, 7];
  const left: [name: string, hours: number, isRemoved: boolean][] = [
    [`run.${here}.${gone}-0.AbCdEfGh.tmp`, young, isTold],
    [`run.${here}.${pid}-${thread}.AbCdEfG_.tmp`, young, isTold],
    [`run.${here}.${pid}-${Number(thread) + 1}.AbCdEfGh.tmp`, young, false],
    [`run.${here}.${ppid}-0.AbCdEf-h.tmp`, young, false],
    [`run.elsewher.${gone}-0.AbCdEfGh.tmp`, young, false],
    [`run.elsewher.${pid}-${thread}.AbCdEfGh.tmp`, middle, false],
    [`run.elsewher.${gone}-0.AbCdEfGi.tmp`, old, true],
    [`run.--------.${gone}-0.AbCdEfGh.tmp`, young, false],
    [`run.--------.${gone}-0.AbCdEfGi.tmp`, old, true],
    [`other.${here}.${gone}-0.AbCdEfGh.tmp`, old, false],
    [`run.x.${here}.${gone}-0.AbCdEfGh.tmp`, old, false],
    [`run.${gone}-0.tmp`, old, false],
    ["run.tmp", old, false],
  ];
  const age = (file: string, hours: number) => {
    const then = Date.now() / 1000 - 3600 * hours;
    utimesSync(at(file), then, then);
  };
  for (const [file, hours] of left) {
    writeFileSync(at(file), "x");
    age(file, hours);
  }
  const others = [`run.${here}.${gone}-0.a-folder.tmp`, `run.${here}.${gone}-0.___a-way.tmp`] as const;
  mkdirSync(at(`${others[0]}/inside`), { recursive: true });
  age(others[0], old);
  symlinkSync("nowhere", at(others[1]));

  const { model, optimizer } = makeRun(6);
  saveCheckpoint(at("run"), { model, optimizer, epoch: 1 });
  expect(resumeCheckpoint(at("run"), { model, optimizer }).epoch).toBe(1);
  const there = readdirSync(folder).filter((file) => file.endsWith(".tmp"));
  const stay = left.filter(([, , isRemoved]) => !isRemoved).map(([file]) => file);
  expect(there.sort()).toEqual([...stay, ...others].sort());
  for (const file of there) rmSync(at(file), { recursive: true });
});

test("resume: what does not fit is named with the file, and every part stays as it was", async () => {
  const saved = makeRun(7);
  await saved.train(1);
  const scheduler = new Foreign({ best: 1 });
  saveCheckpoint(at("whole"), { ...saved, epoch: 1, scheduler });
  saveCheckpoint(at("bare"), { model: saved.model, optimizer: saved.optimizer, epoch: 1 });
  saveCheckpoint(at("refused"), { ...saved, epoch: 1, scheduler: new Foreign("refused") });
  const whole = readFileSync(at("whole"));
  const other = (name: string, change: (metadata: Record<string, string>) => Record<string, string>) => {
    const { tensors, metadata } = loadSafetensors(whole);
    writeFileSync(at(name), saveSafetensors(tensors, change(metadata)));
    for (const t of Object.values(tensors)) t.dispose();
  };
  other("format", ({ format: _, ...rest }) => rest);
  other("epoch", (metadata) => ({ ...metadata, epoch: "" }));
  other("generator", (metadata) => ({ ...metadata, generator: '{"key":[1],"block":0}' }));
  other("json", (metadata) => ({ ...metadata, optimizer: "{" }));
  other("array", (metadata) => ({ ...metadata, optimizer: '{"$array":"nowhere"}' }));
  other("number", (metadata) => ({ ...metadata, optimizer: '{"$number":{"toString":1}}' }));
  other("deep", (metadata) => ({ ...metadata, optimizer: "[".repeat(100_000) + "]".repeat(100_000) }));
  other("names", (metadata) => ({ ...metadata, optimizer: '{"a":1,"a":2}' }));
  other("long", (metadata) => ({ ...metadata, optimizer: " ".repeat(2 ** 24 + 1) }));
  other("flood", (metadata) => ({ ...metadata, format: "x".repeat(100_000) }));
  other("floods", (metadata) => ({ ...metadata, generator: `"${"x".repeat(100_000)}"` }));
  const named = (metadata: Record<string, string>) => JSON.parse(metadata.parameters as string) as string[];
  other("length", (metadata) => ({ ...metadata, parameters: JSON.stringify({ length: named(metadata).length }) }));
  other("null", (metadata) => ({ ...metadata, parameters: "null" }));
  other("numbers", (metadata) => ({ ...metadata, parameters: JSON.stringify(named(metadata).map((_, i) => i)) }));
  other("more", (metadata) => ({ ...metadata, parameters: JSON.stringify([...named(metadata), "more"]) }));
  other("fewer", (metadata) => ({ ...metadata, parameters: JSON.stringify(named(metadata).slice(1)) }));
  const twice = '[{"$array":"defaultGenerator.x"},{"$array":"defaultGenerator.x"}]';
  const { tensors, metadata } = loadSafetensors(whole);
  const more = { ...tensors, "defaultGenerator.x": { shape: [1], data: Float32Array.of(1) } };
  writeFileSync(at("twice"), saveSafetensors(more, { ...metadata, optimizer: twice }));
  for (const name of ["optimizer.junk", "junk"]) {
    const junk = { ...tensors, [name]: { shape: [1], data: Float32Array.of(1) } };
    writeFileSync(at(name), saveSafetensors(junk, metadata));
  }
  for (const t of Object.values(tensors)) t.dispose();
  writeFileSync(at("cut"), whole.subarray(0, whole.length - 1));

  const run = makeRun(9);
  await run.train(2);
  const wide = new Network(new Generator(1), 17);
  const full = { ...run, scheduler };
  const attempts: [file: string, run: Parameters<typeof resumeCheckpoint>[1], message: string | RegExp][] = [
    ["cut", full, "to have data_offsets of"],
    ["format", full, "expected the format jarvis-snn checkpoint 1, got undefined"],
    ["epoch", full, "expected an epoch, got "],
    ["generator", full, "Generator: key must have 2 entries, got 1"],
    [
      "json",
      full,
      "expected the state of the optimizer as at most 16777216 characters of JSON, got the end at 1 where a name belongs",
    ],
    ["array", full, 'expected the array "nowhere", got none'],
    ["twice", full, 'expected the array "defaultGenerator.x", got none'],
    ["length", full, "expected the names of the parameters, a list of strings and null, got object"],
    ["null", full, "expected the names of the parameters, a list of strings and null, got null"],
    ["numbers", full, "expected the names of the parameters, a list of strings and null, got [0, 1, 2, "],
    ["more", full, "loadStateDict: expected the parameters ["],
    ["fewer", full, "loadStateDict: expected the parameters ["],
    ["optimizer.junk", full, 'expected the arrays of the states alone, got "optimizer.junk" too'],
    ["junk", full, 'expected the arrays of the states alone, got "junk" too'],
    ["number", full, "expected a number that JSON lacks, got object"],
    [
      "deep",
      full,
      /: expected the state of the optimizer as at most 16777216 characters of JSON, got "\[\[+" at 128 where a value no deeper than 128 levels/,
    ],
    [
      "names",
      full,
      /: expected the state of the optimizer as at most 16777216 characters of JSON, got the name "a" twice$/,
    ],
    ["long", full, /: expected the state of the optimizer as at most 16777216 characters of JSON, got 16777217$/],
    ["flood", full, /: expected the format jarvis-snn checkpoint 1, got "x{40}"$/],
    ["floods", full, /: Generator: expected the state of a generator, got "x{40}"$/],
    ["whole", run, "expected a scheduler as in the file, got no scheduler"],
    ["whole", { ...full, generator: defaultGenerator }, "expected a generator as in the file, got no generator"],
    [
      "bare",
      { model: run.model, optimizer: run.optimizer, scheduler },
      "expected no scheduler as in the file, got a scheduler",
    ],
    ["bare", run, "expected no generator as in the file, got a generator"],
    ["whole", { ...full, model: wide }, "loadStateDict: fc1.weight: expected shape [17, 12], got [16, 12]"],
    [
      "whole",
      { ...full, model: new Linear(2, 2) },
      "loadStateDict: expected no more than the parameters of this module, got [",
    ],
    ["whole", { ...full, optimizer: new SGD(run.model.parameters(), { momentum: 0.9 }) }, "loadStateDict: expected "],
    ["whole", { ...full, optimizer: new AdamW(wide.parameters()) }, "loadStateDict: expected "],
    ["refused", full, "refused on purpose"],
  ];
  const before = { ...stateOf(run), scheduler: { ...scheduler } };
  for (const [file, into, message] of attempts) {
    const { live } = memoryStats();
    const error = errorOf(() => resumeCheckpoint(at(file), into));
    expect(error, `${file}: ${message}`).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`resumeCheckpoint: ${at(file)}: `);
    expect({ ...stateOf(run), scheduler: { ...scheduler } }).toEqual(before);
    expect(memoryStats().live).toBe(live);
  }
  expect(resumeCheckpoint(at("whole"), full)).toEqual({ epoch: 1 });
  expect(stateOf(run)).toEqual(stateOf(saved));
});

test("resume, fuzz: a file with flipped bytes or a lost end is refused as a whole, or is a whole state", async () => {
  const seed = 20_260_102;
  const saved = makeRun(11);
  await saved.train(1);
  saveCheckpoint(at("good"), { ...saved, epoch: 1 });
  const good = readFileSync(at("good"));
  const header = 8 + Number(good.readBigUInt64LE(0));
  const run = makeRun(13);
  await run.train(1);
  let refused = 0;
  let before = stateOf(run);
  const draws = numbers(4000, seed, 0, 1);
  let draw = 0;
  const below = (n: number) => Math.floor((draws[draw++] as number) * n);
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(good);
    for (let i = 0; i < 3; i++) bytes[below(header)] = below(4) === 0 ? below(256) : 48 + below(10);
    writeFileSync(at("bad"), round % 4 === 0 ? good.subarray(0, below(good.length)) : bytes);
    try {
      resumeCheckpoint(at("bad"), run);
      before = stateOf(run);
    } catch (error) {
      expect((error as Error).message, `seed ${seed}, round ${round}`).toContain(`resumeCheckpoint: ${at("bad")}: `);
      expect(stateOf(run)).toEqual(before);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(200);
});

let writer = "";
beforeAll(async () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const alias = [
    { find: /^jarvis-snn$/, replacement: join(root, "index.ts") },
    { find: /^jarvis-snn\/node$/, replacement: join(root, "engine/node.ts") },
  ];
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    resolve: { alias },
    build: {
      ssr: join(root, "test/support/checkpoint-writer.ts"),
      outDir: at("writer"),
      emptyOutDir: true,
      // Rooms beside the core fill its slots when they are loaded.
      rollupOptions: { treeshake: false },
    },
  });
  writer = at("writer/checkpoint-writer.js");
  writeFileSync(at("writer/package.json"), '{"type":"module"}');
});

const isTemporary = (name: string) => name.startsWith("victim.") && name.endsWith(".tmp");

/**
 * Kills the writer `delay` ms after it has begun to save for the second time, or, if `watch`, after its temporary file has
 * appeared; gives the last epoch that it reported.
 */
async function killed(path: string, start: number, delay: number, watch: boolean): Promise<number> {
  const child = spawn(process.execPath, [writer, path, String(start)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  let begun = false;
  const strike = () => {
    if (watch && !readdirSync(folder).some(isTemporary)) return void setImmediate(strike);
    const end = performance.now() + delay;
    while (performance.now() < end);
    child.kill("SIGKILL");
  };
  child.stdout.on("data", (chunk) => {
    output += chunk;
    if (begun || !output.includes(`saving ${start + 1}\n`)) return;
    begun = true;
    strike();
  });
  const signal = await new Promise((resolve) => child.on("close", (_code, by) => resolve(by)));
  expect(signal).toBe("SIGKILL");
  return Number(/saved (\d+)\n(?!.*saved)/s.exec(output)?.[1]);
}

test("save: a process that is killed over and over in the middle of saving always leaves a whole checkpoint", async () => {
  const path = at("victim");
  const model = new Linear(1000, 1000);
  const optimizer = new SGD(model.parameters());
  let interrupted = 0;
  let epoch = 0;
  for (const [round, part] of numbers(140, 5, 0, 1).entries()) {
    // On a busy machine a writer may end its save before the signal comes: more rounds follow then.
    if (round >= 14 && interrupted > 3) break;
    const watch = round % 2 === 0;
    const saved = await killed(path, epoch, part * (watch ? 1 : 20), watch);
    ({ epoch } = resumeCheckpoint(path, { model, optimizer }));
    // The one that was reported is there, or the next, if the process was killed between saving and reporting.
    expect([saved, saved + 1]).toContain(epoch);
    for (const t of model.parameters()) expect(t.data.every((value) => value === epoch)).toBe(true);
    const left = readdirSync(folder).filter(isTemporary).length;
    if (left > 0) interrupted++;
    expect(left).toBeLessThanOrEqual(isTold ? 1 : round + 1);
    epoch++;
  }
  expect(interrupted).toBeGreaterThan(3);
  saveCheckpoint(path, { model, optimizer, epoch });
  if (isTold) expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("save: writers of one file, and a thread among them, do not get in each other's way", async () => {
  const path = at("shared");
  const source = `import { Worker } from "node:worker_threads"; new Worker(new URL(${JSON.stringify(pathToFileURL(writer).href)}), { argv: process.argv.slice(2) }); await import(${JSON.stringify(writer)});`;
  writeFileSync(at("writer/two.mjs"), source);
  const children = [writer, at("writer/two.mjs")].map((script) =>
    spawn(process.execPath, [script, path, "0"], { stdio: ["ignore", "ignore", "pipe"] }),
  );
  const errors: string[] = [];
  for (const child of children) child.stderr.on("data", (chunk) => errors.push(String(chunk)));
  const ended = children.map((child) => new Promise((resolve) => child.on("close", (_code, by) => resolve(by))));
  const model = new Linear(1000, 1000);
  const optimizer = new SGD(model.parameters());
  for (let reads = 0; reads < 25; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (!existsSync(path)) continue;
    const { epoch } = resumeCheckpoint(path, { model, optimizer });
    for (const t of model.parameters()) expect(t.data.every((value) => value === epoch)).toBe(true);
    reads++;
  }
  for (const child of children) child.kill("SIGKILL");
  expect(await Promise.all(ended)).toEqual(["SIGKILL", "SIGKILL"]);
  expect(errors).toEqual([]);
  saveCheckpoint(path, { model, optimizer, epoch: 0 });
});

test("checkpoint: a file that is there keeps its permissions, and a link to it stays a link", () => {
  const run = makeRun(1);
  saveCheckpoint(at("private"), { ...run, epoch: 0 });
  chmodSync(at("private"), 0o662); // with a bit that the umask would take
  symlinkSync(at("private"), at("link"));
  saveCheckpoint(at("link"), { ...run, epoch: 1 });
  expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
  expect(statSync(at("private")).mode & 0o777).toBe(0o662);
  symlinkSync(at("later"), at("dangling"));
  saveCheckpoint(at("dangling"), { ...run, epoch: 2 });
  expect(lstatSync(at("dangling")).isSymbolicLink()).toBe(true);
  expect(resumeCheckpoint(at("later"), run).epoch).toBe(2);
  expect(resumeCheckpoint(at("private"), run).epoch).toBe(1);
});

test("checkpoint: a link leads where the system says, also with .. behind the link to a folder", () => {
  const run = makeRun(1);
  mkdirSync(at("depth/er/still"), { recursive: true });
  symlinkSync("depth/er", at("short"));
  symlinkSync("../one", at("depth/er/up"));
  symlinkSync("still/../../two", at("depth/er/down"));
  symlinkSync(`${folder}/short/../three`, at("depth/er/straight"));
  saveCheckpoint(at("short/up"), { ...run, epoch: 1 });
  saveCheckpoint(at("short/down"), { ...run, epoch: 2 });
  saveCheckpoint(at("short/straight"), { ...run, epoch: 3 });
  expect(["one", "two", "three"].map((name) => resumeCheckpoint(at(`depth/${name}`), run).epoch)).toEqual([1, 2, 3]);
  expect(readdirSync(at("depth/er")).sort()).toEqual(["down", "still", "straight", "up"]);
});
