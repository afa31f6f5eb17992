/**
 * What needs Node's file system: dataset files and checkpoints.
 *
 * @module jarvis-snn/node
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { threadId } from "node:worker_threads";
import { decode, type NamedArrays, parseSafetensors, type StoredArray, saveSafetensors } from "./checkpoint.ts";
import { defaultGenerator, type Generator, type GeneratorState } from "./generator.ts";
import type { Module, StateDict } from "./nn/module.ts";
import { sizeOf } from "./shape.ts";

/** The content of an IDX file. */
export interface IdxArray {
  /** The values in row-major order. */
  data: Uint8Array;
  /** Sizes of the axes. */
  shape: number[];
}

/**
 * Reads an IDX file, the format of MNIST: bytes with their shape.
 *
 * @throws RangeError if the file is not an IDX file of unsigned bytes, or its length does not fit its header. What the file
 *   system throws passes through.
 * @see http://yann.lecun.com/exdb/mnist/
 */
export function readIdx(path: string): IdxArray {
  const bytes = readFileSync(path);
  const ndim = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * ndim || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0x08 || ndim === 0) {
    throw new RangeError(
      `readIdx: expected an IDX file of unsigned bytes, got ${path} that starts with [${bytes.subarray(0, 4).join(", ")}]`,
    );
  }
  const shape = Array.from({ length: ndim }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + 4 + 4 * ndim, bytes.length - 4 - 4 * ndim);
  const expected = shape.reduce((product, n) => product * n, 1);
  if (data.length !== expected)
    throw new RangeError(`readIdx: expected ${expected} bytes of data in ${path}, got ${data.length}`);
  return { data, shape };
}

/** What has a state of numbers, strings, Float32Arrays and the like, in lists and plain objects of any depth. */
export interface Stateful {
  /** A copy of the state. */
  stateDict(): unknown;
  /** Throws before it changes anything if the state does not fit. */
  loadStateDict(state: never): void;
}

/** What a training run consists of. */
export interface TrainingRun {
  /** The network. */
  model: Module;
  /** The optimizer of its parameters. */
  optimizer: Stateful;
  /**
   * A generator besides the default one, whose state is always part of a checkpoint: that of the loader, for instance.
   */
  generator?: Generator;
  /** The schedule of the learning rate, if there is one. */
  scheduler?: Stateful;
}

/** Identifies the layout of a checkpoint. */
const FORMAT = "jarvis-snn checkpoint 1";

/** The parts whose state stands in the metadata. */
const PARTS = ["optimizer", "scheduler", "generator", "defaultGenerator"];

/**
 * Writes all that a run needs to go on bit for bit after `epoch` epochs: parameters, the state of optimizer and scheduler,
 * and where the random numbers are.
 *
 * The file is in the safetensors format: the parameters as "model.fc1.weight", arrays of the optimizer as
 * "optimizer.slots.0.m", everything else as JSON in the metadata. It is written beside its place and then renamed, so that
 * the old file stays whole until the new one is, whatever happens in between.
 *
 * @throws RangeError if epoch is not an integer ≥ 0, or two arrays would have one name; TypeError for a state that holds
 *   something else than listed at {@link Stateful}. What the file system throws passes through, and the old file is as it
 *   was.
 */
export function saveCheckpoint(path: string, run: TrainingRun & { epoch: number }): void {
  const { epoch } = run;
  if (!Number.isSafeInteger(epoch) || epoch < 0)
    throw new RangeError(`saveCheckpoint: epoch must be an integer ≥ 0, got ${epoch}`);
  const arrays: NamedArrays = {};
  for (const [name, entry] of Object.entries(run.model.stateDict())) arrays[`model.${name}`] = entry;
  const metadata: Record<string, string> = { format: FORMAT, epoch: String(epoch) };
  for (const [name, part] of Object.entries(partsOf(run))) {
    if (name !== "model") metadata[name] = JSON.stringify(pack(name, part.stateDict(), arrays));
  }
  replaceFile(path, saveSafetensors(arrays, metadata));
}

/**
 * Puts a run into the state that a checkpoint holds. The run is built as the one that was saved, with a scheduler if that
 * one had one; what its parts were initialised with does not matter.
 *
 *   const { epoch } = resumeCheckpoint("run.safetensors", { model, optimizer, generator });
 *   await fit(model, loader, { epochs: 10 - epoch, optimizer, loss });
 *
 * @throws RangeError if the file is damaged, no checkpoint, or one of another run; all parts are as before then. What the
 *   file system throws passes through.
 */
export function resumeCheckpoint(
  path: string,
  run: TrainingRun,
): {
  /** The number of epochs that are done. */
  epoch: number;
} {
  const where = `resumeCheckpoint: ${path}`;
  const { arrays, metadata } = parseSafetensors(where, readWhole(path));
  const parts = partsOf(run);
  const { format, epoch = "" } = metadata;
  const check = (holds: boolean, expected: string, got: string | undefined): void => {
    if (!holds) throw new RangeError(`${where}: expected ${expected}, got ${got}`);
  };
  check(format === FORMAT, `the format ${FORMAT}`, format);
  check(/^\d+$/.test(epoch) && Number.isSafeInteger(Number(epoch)), "an epoch", epoch);
  for (const name of PARTS) {
    const [saved, given] = [name in metadata, name in parts].map((there) => (there ? `a ${name}` : `no ${name}`));
    check(saved === given, `${saved} as in the file`, given);
  }
  const before = Object.values(parts).map((part) => part.stateDict());
  try {
    const states = Object.keys(parts).map((name) =>
      name === "model" ? modelState(arrays) : unpack(metadata[name] as string, arrays),
    );
    Object.values(parts).forEach((part, i) => part.loadStateDict(states[i] as never));
  } catch (cause) {
    // One part may have refused what the parts before it have taken.
    Object.values(parts).forEach((part, i) => part.loadStateDict(before[i] as never));
    throw new RangeError(`${where}: ${(cause as Error).message}`, { cause });
  }
  return { epoch: Number(epoch) };
}

/** The parts that have a state, by their names in the file. The optimizer comes after the scheduler, which sets its rate. */
function partsOf({ model, optimizer, generator, scheduler }: TrainingRun): Record<string, Stateful> {
  const own = generator === undefined || generator === defaultGenerator ? {} : { generator: stateOf(generator) };
  const scheduled = scheduler === undefined ? {} : { scheduler };
  return { model, ...scheduled, optimizer, defaultGenerator: stateOf(defaultGenerator), ...own };
}

function stateOf(generator: Generator): Stateful {
  return {
    stateDict: () => generator.getState(),
    loadStateDict: (state: GeneratorState) => generator.setState(state),
  };
}

/** A state as JSON can hold it exactly: arrays go into the file under their path, numbers that JSON lacks become text. */
function pack(path: string, value: unknown, arrays: NamedArrays): unknown {
  if (value instanceof Float32Array) {
    if (path in arrays) throw new RangeError(`saveCheckpoint: expected one array of the name ${path}, got two`);
    arrays[path] = { shape: [value.length], data: value };
    return { $array: path };
  }
  if (Object.is(value, -0)) return { $number: "-0" };
  if (typeof value === "number") return Number.isFinite(value) ? value : { $number: String(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map((item, i) => pack(`${path}.${i}`, item, arrays));
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype && !isMarked(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, pack(`${path}.${key}`, item, arrays)]));
  }
  const got = typeof value === "object" ? value.constructor.name : typeof value;
  throw new TypeError(
    `saveCheckpoint: expected ${path} to be a number, string, boolean, null, list, plain object or Float32Array, got ${got}`,
  );
}

/** An object that reads as one of those that `pack` puts in the place of something else. */
function isMarked(value: object): boolean {
  return "$array" in value || "$number" in value;
}

function unpack(json: string, arrays: readonly StoredArray[]): unknown {
  return JSON.parse(json, (_key, value: { $array?: string; $number?: string } | null) => {
    if (value?.$number !== undefined) return Number(value.$number);
    if (value?.$array === undefined) return value;
    const array = arrays.find((each) => each.name === value.$array);
    if (array === undefined) throw new RangeError(`expected the array ${value.$array}, got none`);
    return dataOf(array);
  });
}

function modelState(arrays: readonly StoredArray[]): StateDict {
  const own = arrays.filter(({ name }) => name.startsWith("model."));
  return Object.fromEntries(own.map((array) => [array.name.slice(6), { shape: array.shape, data: dataOf(array) }]));
}

function dataOf(array: StoredArray): Float32Array {
  const data = new Float32Array(sizeOf(array.shape));
  decode(array, data);
  return data;
}

/** Node reads and writes at most 2 GiB at once. */
const PIECE = 2 ** 30;

function readWhole(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(fstatSync(file).size);
    let at = 0;
    for (let n = 1; n > 0; at += n) n = readSync(file, bytes, at, Math.min(bytes.length - at, PIECE), null);
    return bytes.subarray(0, at);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a file as a whole: whoever reads the path, even after a crash, finds the old bytes or the new ones. A file that was there
 * keeps its permissions, a symbolic link its place.
 */
function replaceFile(link: string, bytes: Uint8Array): void {
  const old = statSync(link, { throwIfNoEntry: false });
  const path = targetOf(link);
  const folder = dirname(path);
  removeLeftovers(folder, basename(path));
  const temporary = `${path}.${process.pid}-${threadId}.tmp`;
  try {
    const file = openSync(temporary, "w", old?.mode);
    try {
      if (old !== undefined) fchmodSync(file, old.mode & 0o7777); // whatever the umask
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(bytes.length - at, PIECE));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (process.platform === "win32") return; // opens no folders
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** What a path leads to, which may not be there yet. */
function targetOf(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  return isLink ? targetOf(resolve(dirname(path), readlinkSync(path))) : path;
}

/** Removes what processes that were killed while they wrote this file have left. */
function removeLeftovers(folder: string, name: string): void {
  for (const file of readdirSync(folder)) {
    const match = /^(\d+)-\d+\.tmp$/.exec(file.startsWith(`${name}.`) ? file.slice(name.length + 1) : "");
    if (match !== null && !isRunning(Number(match[1]))) rmSync(join(folder, file), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
