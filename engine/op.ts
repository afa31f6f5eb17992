/**
 * An op is one record: its name, the shape of its output, forward and backward. `apply` runs it and, where a gradient is
 * wanted, puts the output on the tape.
 */
import { heap, k, simd } from "./backend.ts";
import { allocate, allocateIn, type Region, recycle, scope } from "./scope.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { alive, empty, materialise, record, type Tensor } from "./tensor.ts";

/** In the place of SAVES_… bits: the op has no gradient and is never recorded. */
export const NO_GRADIENT = -1;

/** Which values backward reads, as a bit mask: a write to one of them between forward and backward is an error. */
export const SAVES_NOTHING = 0;
export const SAVES_A = 1;
export const SAVES_B = 2;
export const SAVES_C = 4;
export const SAVES_OUTPUT = 8;

export interface Op<Attrs> {
  readonly name: string;
  /** SAVES_… bits. */
  readonly saves: number;
  /** Forward takes an a that is spikes in bits as it is: a.ptr may be 0. */
  readonly takesBits?: true;
  /** Backward takes a gradient that repeats over time as it is. */
  readonly takesRepeats?: true;
  /** Backward takes the gradient that a max pool gives as values and places. */
  readonly takesPlaces?: true;
  /** Backward takes a gradient that is still a product. */
  readonly takesProducts?: true;
  /** The output's shape. Throws before anything is allocated. */
  shape(attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Shape;
  /** z ← op(a, b, c), every element of z. */
  forward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
  /** Adds into the gradients of a, b, c what z's gradient (at z.gradPtr) passes on. */
  backward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
  /**
   * bits [rows, ⌈columns/32⌉] ← where the gradient of the output, in rows of so many columns, matters to backward. Returns how
   * many groups of four neighbours have a bit, or −1, with nothing written, if it matters everywhere.
   */
  support?(attrs: Attrs, bits: number, columns: number): number;
  /** Gives back memory that attrs hold, taken while `region` was current, where backward will not. */
  drop?(attrs: Attrs, a: Tensor, region: Region): void;
}

/** The sizes of a product x·w, and the distances of the weights of neighbouring inputs and outputs in w. */
export interface Factors {
  readonly depth: number;
  readonly outputs: number;
  readonly stepIn: number;
  readonly stepOut: number;
}

const NONE = null as unknown as Tensor;

/** z = op(a, b, c), recorded if one of them requires a gradient. */
export function apply<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor = NONE, c: Tensor = NONE): Tensor {
  if (op.takesBits && a.bits !== 0) alive(a, op.name);
  else ready(op.name, a);
  if (b !== NONE) ready(op.name, b);
  if (c !== NONE) ready(op.name, c);
  const shape = op.shape(attrs, a, b, c);
  const z = empty(shape, sizeOf(shape));
  op.forward(z, a, b, c, attrs);
  if (!scope.recording || op.saves === NO_GRADIENT) return z;
  if (a.requiresGrad || (b !== NONE && b.requiresGrad) || (c !== NONE && c.requiresGrad)) {
    record(z, op as Op<never>, attrs, a, b, c);
  }
  return z;
}

/** `apply` for an op whose attributes hold memory: where nothing is recorded, `drop` gives it back at once. */
export function applyOwning<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor = NONE, c: Tensor = NONE): Tensor {
  let recorded = false;
  try {
    const z = apply(op, attrs, a, b, c);
    recorded = z.op !== null;
    return z;
  } finally {
    if (!recorded) op.drop?.(attrs, a, scope.region);
  }
}

/** `apply` for an op over a list of inputs, which its attributes hold. */
export function applyMany<Attrs extends { readonly inputs: readonly Tensor[] }>(op: Op<Attrs>, attrs: Attrs): Tensor {
  let wanted = false;
  for (const x of attrs.inputs) {
    ready(op.name, x);
    wanted ||= x.requiresGrad;
  }
  const shape = op.shape(attrs, NONE, NONE, NONE);
  const z = empty(shape, sizeOf(shape));
  op.forward(z, NONE, NONE, NONE, attrs);
  if (scope.recording && wanted) record(z, op as Op<never>, attrs, null, null, null);
  return z;
}

/** Throws when x is freed; writes out spikes and constant expansions. */
export function ready(where: string, x: Tensor): void {
  if (!x.region.open || x.base !== null) alive(x, where);
  if (x.ptr === 0) materialise(x);
}

/** Address of the gradient of x to add into, 0 where none is wanted. */
export function gradOf(x: Tensor): number {
  const p = freshGradOf(x);
  if (p !== 0 && !accumulates) k.fill(p, x.size, 0);
  return p;
}

/** Whether the gradient that `freshGradOf` just gave holds a sum already; if not, the kernel must overwrite it. */
export let accumulates = false;

/** Like `gradOf`, but a first gradient is not zeroed: the caller writes every element, as `accumulates` says. */
export function freshGradOf(x: Tensor): number {
  if (!x.requiresGrad || isOutside(x)) return 0;
  accumulates = x.gradPtr !== 0;
  if (accumulates) {
    writeOutGradient(x);
    return x.gradPtr;
  }
  if (x.op === null) return leafGradient(x);
  x.gradPtr = allocate(4 * x.size);
  return x.gradPtr;
}

/** Tensors of linear memory are constants for the float64 kernels, whose own addresses are negative. */
export function isOutside(x: Tensor): boolean {
  return heap !== simd.heap && x.ptr > 0;
}

/** Leaves whose gradient began in this backward pass, and those whose buffer did: a pass that fails takes them back. */
export const begun: Tensor[] = [];
export const buffered: Tensor[] = [];

function leafGradient(x: Tensor): number {
  if (x.state === "consumed") {
    throw new Error("backward: this part of the graph was consumed by an earlier backward(); records serve once");
  }
  alive(x, "backward");
  if (x.gradBuffer === 0) {
    x.gradBuffer = allocateIn(x.region, 4 * x.size);
    buffered.push(x);
  }
  begun.push(x);
  x.gradPtr = x.gradBuffer;
  return x.gradPtr;
}

/** Whether x can take over the buffer of another's gradient: it wants one, has none yet, and is not a leaf. */
export function canTakeOver(x: Tensor): boolean {
  return x.requiresGrad && x.gradPtr === 0 && x.op !== null && !isOutside(x);
}

/** z's gradient becomes that of x, which can take it over, in each of `repeats` steps (0: as it is). */
export function handOver(z: Tensor, x: Tensor, repeats: number): void {
  x.gradPtr = z.gradPtr;
  x.gradRepeats = repeats;
  z.gradPtr = 0;
}

/** z's gradient becomes that of x, which can take it over, times the weights wᵀ. */
export function handOverProduct(z: Tensor, x: Tensor, weights: number, factors: Factors): void {
  handOver(z, x, 0);
  x.gradWeights = weights;
  x.gradFactors = factors;
}

/** Writes out part of a gradient that is a product: so many values in whole rows, from the one numbered `first` on. */
export function multiplyGradient(to: number, x: Tensor, first: number, size: number): void {
  const { depth, outputs, stepIn, stepOut } = x.gradFactors as Factors;
  const from = x.gradPtr + 4 * (first / depth) * outputs;
  k.gemm(to, from, x.gradWeights, 0, size / depth, depth, outputs, outputs, 1, stepOut, stepIn, depth, depth, 1);
}

/** Writes out a gradient that repeats over time, that is values and places, or that is a product. */
export function writeOutGradient(x: Tensor): void {
  if (x.gradRepeats === 0 && x.gradPlaces === 0 && x.gradFactors === null) return;
  const p = allocate(4 * x.size);
  if (x.gradFactors !== null) multiplyGradient(p, x, 0, x.size);
  else if (x.gradPlaces === 0) k.expandAxis(p, x.gradPtr, 1, x.gradRepeats, x.size / x.gradRepeats);
  else {
    const [height, width] = x.shape.slice(-2) as [number, number];
    const planes = x.size / (height * width);
    k.fill(p, x.size, 0);
    k.addAtPlaces(p, x.gradPtr, x.gradPlaces, planes, height * width, x.gradWindows / planes);
  }
  recycleGradient(x);
  x.gradPtr = p;
}

/** How many values lie at the gradient's address. */
export function gradientSize({ size, gradRepeats, gradWindows, gradFactors }: Tensor): number {
  if (gradFactors !== null) return (size / gradFactors.depth) * gradFactors.outputs;
  return gradWindows || size / (gradRepeats || 1);
}

/** Takes back the gradient of a record. */
export function recycleGradient(z: Tensor): void {
  const bytes = 4 * gradientSize(z);
  if (z.gradPtr !== 0) recycle(z.gradPtr, bytes, scope.region);
  if (z.gradPlaces !== 0) recycle(z.gradPlaces, bytes, scope.region);
  z.gradPtr = 0;
  z.gradRepeats = 0;
  z.gradPlaces = 0;
  z.gradWindows = 0;
  z.gradFactors = null;
}

/** Hands z's gradient over to x, its only input: no copy where x has none yet. */
export function passGradient(z: Tensor, x: Tensor): void {
  if (canTakeOver(x)) return handOver(z, x, 0);
  const dx = gradOf(x);
  if (dx !== 0) k.addTo(dx, z.gradPtr, z.size);
}
