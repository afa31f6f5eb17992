/**
 * SIMD kernels against the float64 reference, op by op.
 *
 * The kernels run the whole program first; values and gradients are taken down. Then the reference runs it, and wherever
 * something is compared, the reference goes on from what the kernels found: values after each step, the gradient of each
 * record before its backward. So both sides always work on the same float32 numbers: differences do not pile up over the
 * program, and comparisons, maxima and rounding decide alike, ties included. What is left is the rounding within one op,
 * and the tolerance needs to cover no more. Nothing can hide in it: all that an op gives, and its part of each gradient, is
 * held to the reference once, where it arises.
 *
 *   |simd − reference| ≤ TOLERANCE · AMPLIFIED · (largest |reference| of the tensor + ½ · largest |input| of the op) · (1 + n/64)
 *
 * For a gradient the inputs are the gradients of what reads the tensor, and the largest is what the sum ever came to on its
 * way. n is how many inputs there are for one element: a sum of n has n roundings. Values that are not finite must be the
 * same on both sides, but for products of what is not finite: the kernels may skip 0·∞ where the reference, which is dense, has NaN,
 * or meet it in a padding.
 *
 * Only neurons decide about numbers that they have rounded themselves. Where the reference finds a membrane closer to its
 * threshold than NEAR, what follows cannot be compared and the program is abandoned. It is the reference
 * alone that says so, and before it looks at what the kernels found: a wrong kernel cannot get away like this.
 */
import { type Backend, simd, useBackend } from "../../engine/core/backend.ts";
import type { Recorded } from "../../engine/core/op.ts";
import { coreKernels } from "../../engine/core/wasm.ts";
import { writeOutGradient } from "../../engine/forms/gradients.ts";
import { withReference } from "../../engine/gradcheck.ts";
import { memoryStats, noGrad, Tensor, tape, zeros } from "../../engine/index.ts";
import { alone, differenceOfThreads } from "../support/sharing.ts";
import { DECISIONS } from "./calls.ts";
import { COMPILED, execute, gradientOf, isCompiled, type Observer, placesOf, valuesOf } from "./execute.ts";
import { type Item, inputsOf, type Leaf, type Program, type Step } from "./program.ts";

/** About four times the largest deviation of a million ops; a kernel that is off by 10⁻³ is found at once. */
const TOLERANCE = 2e-5;

/** Ops that multiply their own roundings: by 1/√eps, and by the slope of a surrogate once a step; both are up to 10. Layers are compared as a whole. */
const AMPLIFIED: Readonly<Record<string, number>> = {
  batchNorm: 10,
  layerNorm: 10,
  groupNorm: 10,
  LIF: 16,
  RecurrentLIF: 16,
  LeakyIntegrator: 4,
};

/**
 * An op of several records has run before the reference gets the first of them from the kernels, so the next one may have saved values
 * of float64, as cross-entropy saves the largest logit. A gradient that is computed from these and the values of the kernels is off by
 * the deviation of a value times the gradient of the next record, a weight of up to 2 and the rise of a formula.
 */
const STALE = 8;

/** Distance of a membrane from its threshold that roundings may bridge, for membranes of the size of 1. */
const NEAR = 2e-5;

/** Ops that may skip zeros of an operand or multiply those of a padding, whatever these meet. */
const PRODUCTS: readonly string[] = ["linear", "matmul", "conv1d", "conv2d", "convTranspose2d"];

/** Membranes are measured against thresholds and resting values of the size of 1, however small the current. */
const UNIT = Float32Array.of(1);

type Values = Float32Array | Float64Array;

/** Something that must not be, and the ops that it is laid to. */
export class Finding extends Error {
  readonly op: string;

  constructor(op: string, message: string, options?: ErrorOptions) {
    super(`${op}: ${message}`, options);
    this.op = op;
  }
}

/** A decision is too close to be the same on both sides. */
class Abandoned extends Error {}

/** How often an op ran, and the largest deviations of its values and of the gradients that it gives, as parts of the scale. */
export interface Deviation {
  count: number;
  value: number;
  gradient: number;
}

export type Deviations = Map<string, Deviation>;

/** What the kernels found. */
interface Trace {
  readonly values: Map<number, Float32Array>;
  /** Whether each value requires a gradient. */
  readonly wanted: Map<number, boolean>;
  readonly leafGradients: Map<number, Float32Array>;
  /** Values and gradients of the records; no gradient where backward does not reach them. */
  readonly records: Float32Array[];
  readonly gradients: (Gradient | undefined)[];
}

/** A gradient as backward found it, in whatever form; of the windows of a max pool with the places that it goes to. */
interface Gradient {
  readonly values: Float32Array;
  readonly kind: string | undefined;
  readonly places: readonly number[];
}

/** The gradient of a leaf, null where it has none or t is no leaf. */
const leafGradient = (t: Tensor): Tensor | null => (t.requiresGrad && t.state === "none" ? t.grad : null);

/** Runs a program and takes everything down. */
function traceOf(program: Program): Trace {
  const trace: Trace = { values: new Map(), wanted: new Map(), leafGradients: new Map(), records: [], gradients: [] };
  const made: Tensor[] = [];
  execute(program, {
    made(_item, _results, records) {
      made.push(...records);
    },
    gradient(i, z) {
      trace.gradients[i] = {
        values: new Float32Array(gradientOf(z)),
        kind: z.gradForm?.kind,
        places: placesOf(z),
      };
    },
    // At the end: a value that something has overwritten shows, too.
    finished(tensors) {
      for (const [id, t] of tensors) {
        trace.values.set(id, new Float32Array(valuesOf(t)));
        trace.wanted.set(id, t.requiresGrad);
        const gradient = leafGradient(t);
        if (gradient !== null) trace.leafGradients.set(id, gradient.toFloat32Array());
      }
      for (const z of made) trace.records.push(new Float32Array(valuesOf(z)));
    },
  });
  return trace;
}

/** Holds the reference to a trace, and sets it to what the trace has. */
class Judge implements Observer {
  private readonly trace: Trace;
  private readonly deviations: Deviations;
  /** The op of the program that made each record. */
  private readonly owners: string[] = [];
  /** The numbers of the records. */
  private readonly numbers = new Map<Tensor, number>();
  /** The number of the first record of the step that made each record. */
  private readonly firsts: number[] = [];
  /** The largest differences between values of records and those of the kernels. */
  private readonly differences: number[] = [];
  /** The inputs of each record. */
  private readonly operands: Tensor[][] = [];
  /** The records that read a tensor. */
  private readonly readers = new Map<Tensor, number[]>();
  /** Outputs of one op share their attributes, and all pass their gradients on through one of them. */
  private readonly siblings: number[][] = [];
  private readonly byAttributes = new Map<unknown, number[]>();
  /** The largest that a gradient has been on its way: what comes later may cancel it, but not its roundings. */
  private readonly peaks = new Map<Tensor, number>();
  private readonly reached = new Set<number>();
  /** Compiled layers give gradients of 0 where composed ones give none. */
  private hasLayers = false;
  /** Records whose gradients the kernels leave out where the surrogate is 0: compared behind the layer. */
  private readonly partial = new Set<number>();
  private isCompact = false;
  /** The tensors that a compiled layer has read, which the records of its outputs do not name. */
  private read: readonly Tensor[] = [];

  constructor(trace: Trace, deviations: Deviations) {
    this.trace = trace;
    this.deviations = deviations;
  }

  before(step: Step, args: readonly unknown[]): void {
    const { op } = step;
    // Of a constant, the layer reads what it repeats.
    const operands = isCompiled(step) ? tensorsIn(args) : [];
    this.read = operands.flatMap((x) => (x.ptr === 0 && x.bits === 0 && x.base !== null ? [x, x.base] : [x]));
    this.hasLayers ||= isCompiled(step);
    this.isCompact = isCompiled(step) && COMPACT.some((name) => JSON.stringify(step.args).includes(`"${name}"`));
    const distances = DECISIONS[op] as ((...args: readonly unknown[]) => number[]) | undefined;
    if (distances === undefined) return;
    if (noGrad(() => distances(...args)).some((d) => d < NEAR)) throw new Abandoned();
  }

  made(item: Item | null, results: readonly Tensor[], records: readonly Tensor[], first: number): void {
    const op = item === null ? "loss" : item.kind === "step" ? item.op : item.kind;
    this.deviationOf(op).count++;
    const ids = item === null ? this.trace.values.keys() : inputsOf(item);
    const inputs = Array.from(ids, (id) => this.trace.values.get(id) as Float32Array);
    if (DECISIONS[op] !== undefined) inputs.push(UNIT);
    item?.ids.forEach((id, i) => {
      const t = results[i] as Tensor;
      this.checkValue(op, `v${id}`, t, this.trace.values.get(id) as Float32Array, inputs);
      if (this.trace.wanted.get(id) !== t.requiresGrad) throw new Finding(op, `requiresGrad of v${id} differs`);
    });
    records.forEach((z, i) => {
      const values = this.trace.records[first + i];
      if (values === undefined) throw new Finding(op, "recorded only in the reference");
      this.differences.push(this.checkValue(op, `its record ${nameOf(z)}`, z, values, inputs));
      this.note(op, z);
      this.numbers.set(z, first + i);
      this.firsts.push(first);
      if (this.isCompact) this.partial.add(first + i);
    });
    this.isCompact = false;
    if (!isCompiled(item)) return;
    for (const x of [...this.read, ...results.filter((t) => t.op === null)]) {
      this.readers.set(x, [...(this.readers.get(x) ?? []), ...records.map((_, i) => first + i)]);
    }
  }

  gradient(i: number, z: Tensor): void {
    const op = this.owners[i] as string;
    const found = this.trace.gradients[i];
    this.reached.add(i);
    if (found === undefined) {
      if (this.isNothing(gradientOf(z))) return;
      throw new Finding(op, `backward reaches ${nameOf(z)} only in the reference`);
    }
    if (this.partial.has(i)) return this.partOfGradient(z, found);
    if (COMPILED.includes(op)) return this.gradientOfLayer(op, z, found);
    if (found.kind !== z.gradForm?.kind) throw new Finding(op, `the gradient of ${nameOf(z)} has another form`);
    if (found.places.join() !== placesOf(z).join())
      throw new Finding(op, `the gradient of ${nameOf(z)} goes elsewhere`);
    const values = gradientOf(z);
    this.checkGradient(`${nameOf(z)} of ${op}`, z, found.values, values);
    values.set(found.values);
  }

  /** Whether it is as good as no gradient. */
  private isNothing(gradient: Values | undefined): boolean {
    return gradient === undefined || (this.hasLayers && gradient.every((x: number) => x === 0));
  }

  /** A layer that is composed here reads no short forms; a product of factors is compared behind the layer. */
  private gradientOfLayer(op: string, z: Tensor, found: Gradient): void {
    writeOutGradient(z);
    if (found.kind === "product") return;
    const values = gradientOf(z);
    const { length } = found.values;
    const whole = Float32Array.from(values, (_, i) => found.values[i % length] as number);
    this.checkGradient(`${nameOf(z)} of ${op}`, z, whole, values, op);
    values.set(whole);
  }

  /** What the kernels have computed of it is taken over, for roundings; what is far off was left out, as it does not matter. */
  private partOfGradient(z: Tensor, found: Gradient): void {
    writeOutGradient(z);
    if (found.kind !== undefined) return;
    const values = gradientOf(z);
    const readers = (this.readers.get(z) ?? []).flatMap((i) => this.siblings[i] as number[]);
    const inputs = readers.map((i) => this.trace.gradients[i]?.values ?? new Float32Array(0));
    const near = 1e-5 * scaleOf([], values, inputs, this.peaks.get(z));
    found.values.forEach((x, i) => {
      if (Math.abs(x - (values[i] as number)) <= near) values[i] = x;
    });
  }

  passed(z: Tensor): void {
    for (const x of inputsOfRecord(z)) {
      if (x.gradPtr !== 0) this.peaks.set(x, Math.max(this.peaks.get(x) ?? 0, magnitude(gradientOf(x))));
    }
  }

  finished(tensors: ReadonlyMap<number, Tensor>): void {
    this.trace.gradients.forEach((found, i) => {
      if (this.reached.has(i) || this.isNothing(found?.values)) return;
      throw new Finding(this.owners[i] as string, `backward does not reach record ${i} in the reference`);
    });
    for (const [id, t] of tensors) {
      const got = this.trace.leafGradients.get(id);
      const gradient = leafGradient(t);
      const isOnOne = (gradient === null) !== (got === undefined);
      if (isOnOne && !this.isNothing(gradient?.toFloat32Array() ?? got))
        throw new Finding("backward", `a gradient of v${id} on one side`);
      if (gradient !== null && got !== undefined) this.checkGradient(`v${id}`, t, got, gradient.data);
      // A sum that begins at 0 is never −0. So the sign of a zero does not tell which kernels a gradient came by.
      if (got?.some((d) => Object.is(d, -0)))
        throw new Finding(this.readersOf(t).join(" + "), `−0 in the gradient of v${id}`);
    }
  }

  private note(op: string, z: Tensor): void {
    const i = this.owners.push(op) - 1;
    const family = (z.attrs === null ? undefined : this.byAttributes.get(z.attrs)) ?? [];
    family.push(i);
    this.siblings.push(family);
    this.byAttributes.set(z.attrs, family);
    this.operands.push(inputsOfRecord(z));
    for (const x of this.operands[i] as Tensor[]) {
      const list = this.readers.get(x);
      if (list === undefined) this.readers.set(x, [i]);
      else list.push(i);
    }
  }

  /** Returns the largest difference. */
  private checkValue(op: string, what: string, t: Tensor, got: Float32Array, inputs: readonly Float32Array[]): number {
    const values = valuesOf(t);
    if (got.length !== values.length) throw new Finding(op, `${what}: ${got.length} values, not ${values.length}`);
    const leavesNaN = () => PRODUCTS.includes(op) && !inputs.every(allFinite);
    const scale = scaleOf([op], values, inputs);
    const size = check(op, what, got, values, scale, leavesNaN);
    const entry = this.deviationOf(op);
    entry.value = Math.max(entry.value, size);
    setValues(t, got);
    return size * scale;
  }

  /** `within`: a layer that may read t in further steps of its own. */
  private checkGradient(what: string, t: Tensor, got: Float32Array, values: Values, within?: string): void {
    const readers = this.readers.get(t) ?? [];
    const sources = new Set(readers.flatMap((i) => this.siblings[i] as number[]));
    const inputs = Array.from(sources, (i) => this.trace.gradients[i]?.values ?? new Float32Array(0));
    const operands = () => readers.flatMap((i) => (this.operands[i] as Tensor[]).map(valuesOf));
    const ops = [...new Set([...this.readersOf(t), ...(within === undefined ? [] : [within])])];
    // A compact surrogate leaves out where it is 0, also what 0 would have made NaN.
    const leavesNaN = () =>
      readers.some((i) => this.partial.has(i)) ||
      (ops.some((op) => PRODUCTS.includes(op)) && ![...inputs, ...operands()].every(allFinite));
    const scale = scaleOf(ops, values, inputs, this.peaks.get(t)) * this.staleness(t) + (this.hasLayers ? FAINT : 0);
    const size = check(ops.join(" + "), `gradient of ${what}`, got, values, scale, leavesNaN);
    for (const op of ops) {
      const entry = this.deviationOf(op);
      entry.gradient = Math.max(entry.gradient, size);
    }
  }

  /** The ops that read t. */
  private readersOf(t: Tensor): string[] {
    return (this.readers.get(t) ?? []).map((i) => this.owners[i] as string);
  }

  /** How much rougher a gradient is where the op that made a record reads it again, see STALE. */
  private staleness(t: Tensor): number {
    const i = this.numbers.get(t);
    if (i === undefined || !this.readers.get(t)?.some((reader) => this.firsts[reader] === this.firsts[i])) return 1;
    return 1 + (STALE * (this.differences[i] as number)) / TOLERANCE;
  }

  private deviationOf(op: string): Deviation {
    const entry = this.deviations.get(op) ?? { count: 0, value: 0, gradient: 0 };
    this.deviations.set(op, entry);
    return entry;
  }
}

/** Overwrites the values; of a constant expansion those of its source. Spikes in bits agree anyway. */
function setValues(t: Tensor, values: Float32Array): void {
  if (t.ptr !== 0) valuesOf(t).set(values);
  else if (t.base !== null) setValues(t.base, values.subarray(0, t.base.size));
}

function inputsOfRecord(z: Tensor): Tensor[] {
  const { inputs = [], v0, beta, threshold } = (z.attrs ?? {}) as { [name: string]: unknown } & { inputs?: Tensor[] };
  return [...new Set([z.a, z.b, z.c, v0, beta, threshold, ...inputs])].filter((x) => x instanceof Tensor);
}

/** The tensors among these values, and in them. */
function tensorsIn(values: readonly unknown[]): Tensor[] {
  return values.flatMap((value) => {
    if (value instanceof Tensor) return [value];
    return typeof value === "object" && value !== null ? tensorsIn(Object.values(value)) : [];
  });
}

const nameOf = (z: Tensor): string => `${(z.op as Recorded<never>).name} [${z.shape.join(", ")}]`;

const allFinite = (values: Values): boolean => values.every(Number.isFinite);

/** The largest deviation as a part of the scale. Throws where it is too large. `leavesNaN`: it is left open what is NaN. */
function check(
  op: string,
  what: string,
  got: Float32Array,
  values: Values,
  scale: number,
  leavesNaN: () => boolean,
): number {
  let [worst, at] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [got[i] as number, values[i] as number];
    const rounded = Math.fround(y);
    if (x === rounded || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if ((Number.isNaN(x) || Number.isNaN(y)) && leavesNaN()) continue;
    const size = Number.isFinite(x) && Number.isFinite(rounded) ? Math.abs(x - y) / (scale + TINY) : Infinity;
    if (size > worst) [worst, at] = [size, i];
  }
  if (worst <= TOLERANCE) return worst;
  const off = `got ${got[at]}, the reference ${values[at]}, off by ${worst.toExponential(1)}`;
  throw new Finding(op, `${what}, element ${at} of ${got.length}: ${off}`);
}

/** Surrogates that are 0 beyond some distance from the threshold, or on one side of it. */
const COMPACT = ["triangular", "boxcar", "heaviside", "sparseFastSigmoid"];

/** Derivatives of surrogates are at least 2⁻⁶⁴ where the reference goes on falling: gradients as faint as that are noise. */
const FAINT = 1e-12;

/** Below this the digits of float32 get fewer. */
const TINY = 1e-30;

function scaleOf(ops: readonly string[], values: Values, inputs: readonly Float32Array[], peak = 0): number {
  let [scale, n] = [Math.max(magnitude(values), peak), 1];
  for (const x of inputs) {
    scale += largest(x) / 2;
    n = Math.max(n, x.length / values.length);
  }
  return scale * (1 + n / 64) * Math.max(1, ...ops.map((op) => AMPLIFIED[op] ?? 1));
}

const magnitudes = new WeakMap<Float32Array, number>();

/** The magnitude of what a trace holds, found once. */
function largest(values: Float32Array): number {
  const size = magnitudes.get(values) ?? magnitude(values);
  magnitudes.set(values, size);
  return size;
}

/** The largest finite |x|. */
function magnitude(values: Values): number {
  let size = 0;
  for (let i = 0; i < values.length; i++) {
    const x = Math.abs(values[i] as number);
    if (x > size && x < Infinity) size = x;
  }
  return size;
}

export interface Verdict {
  /** null: both sides agree. */
  readonly finding: Finding | null;
  readonly abandoned: boolean;
}

/**
 * Runs a program on both sides, the kernels on one thread. `backend` may hold other kernels in the place of those of the package; `shared`
 * says that the kernels run with all threads too, towards the same bits.
 */
export function compare(program: Program, deviations: Deviations, backend: Backend = simd, shared = false): Verdict {
  const { live } = memoryStats();
  try {
    poison();
    const trace = withBackend(backend, () => alone(() => traceOf(program)));
    const left = memoryStats().live - live;
    if (left !== 0) throw new Finding("memory", `${left} bytes are still in use after the program`);
    if (shared) compareThreads(program);
    withReference(() => execute(program, new Judge(trace, deviations)));
    return { finding: null, abandoned: false };
  } catch (error) {
    if (error instanceof Abandoned) return { finding: null, abandoned: true };
    const finding = error instanceof Finding ? error : new Finding("crash", String(error), { cause: error });
    return { finding, abandoned: false };
  }
}

/** Throws a finding where threads give other bits than one of them. */
function compareThreads(program: Program): void {
  const difference = differenceOfThreads(() => {
    poison();
    return named(program, traceOf(program));
  });
  if (difference === null) return;
  const { name, text } = difference;
  throw new Finding(name.split(":")[0] as string, `${name.replace(/^.*?: /, "")}, ${text}`);
}

/** All that a trace has, in the order in which it is computed: values by their op, then gradients from the last one back. */
function* named(program: Program, trace: Trace): Generator<readonly [string, Float32Array]> {
  for (const item of program.items) {
    for (const id of item.ids) {
      const values = trace.values.get(id);
      if (values !== undefined) yield [`${item.kind === "step" ? item.op : item.kind}: v${id}`, values];
    }
  }
  for (const [i, values] of trace.records.entries()) yield [`record: ${i}`, values];
  for (let i = trace.gradients.length - 1; i >= 0; i--) {
    const gradient = trace.gradients[i];
    if (gradient !== undefined) yield [`backward: gradient of record ${i}`, gradient.values];
  }
  for (const [id, values] of trace.leafGradients) yield [`backward: gradient of v${id}`, values];
}

/** The tensors of a program as leaves; none if it does not come to its end. */
export function resultsOf(program: Program, backend: Backend = simd): Map<number, Leaf> {
  const leaves = new Map<number, Leaf>();
  const finished = (tensors: ReadonlyMap<number, Tensor>): void => {
    for (const [id, t] of tensors) {
      const kind = t.requiresGrad ? "leaf" : "constant";
      leaves.set(id, { kind, ids: [id], shape: t.shape, values: new Float32Array(valuesOf(t)) });
    }
  };
  try {
    withBackend(backend, () => execute(program, { made() {}, gradient() {}, finished }));
  } catch {
    leaves.clear();
  }
  return leaves;
}

function withBackend<R>(backend: Backend, fn: () => R): R {
  useBackend(backend);
  try {
    return fn();
  } finally {
    useBackend(simd);
  }
}

const POISONED = 2 ** 18;

/** Fills what the arena gives next with NaN: memory that is read before it is written shows. */
function poison(): void {
  tape(() => {
    const t = zeros([POISONED]);
    coreKernels.fill(t.ptr, t.size, Number.NaN);
  });
}
