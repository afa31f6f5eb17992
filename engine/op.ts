/**
 * An op is one record: its name, the forms that it reads, forward and backward. `apply` writes out other forms, runs the op, once where
 * all steps are the same, and puts the output on the tape where a gradient is wanted.
 */
import { composed, onStep } from "./composed.ts";
import { recorded } from "./record.ts";
import { allOrNothing, root, scope } from "./scope.ts";
import type { Shape } from "./shape.ts";
import { alive, empty, emptyLike, emptySpikes, type Op, ready, Tensor } from "./tensor.ts";
import { repeatsSteps } from "./views.ts";

export * from "./gradient.ts";
export * from "./record.ts";
/** For `saves` of an op, added up: which values its backward reads. Writing to one before `backward()` is an error then. */
export * as SAVES from "./saves.ts";
export type { Factors, Op, PlacesForm, Recorded } from "./tensor.ts";
export { bitsOf, formOf, ready } from "./tensor.ts";

const NONE = null as unknown as Tensor;

/** z = op(a, b, c), recorded if one of them requires a gradient. */
export const apply = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor = NONE, c: Tensor = NONE): Tensor =>
  scope === root ? applyAtRoot(op, attrs, a, b, c) : run(op, attrs, a, b, c);

/** At the root, no tape frees the blocks that an op has taken before it fails. */
const applyAtRoot = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor =>
  allOrNothing(() => run(op, attrs, a, b, c));

function run<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  if (!isFloats(a)) readyInput(op, a);
  if (b !== null && !isFloats(b)) ready(op.name, b);
  if (c !== null && !isFloats(c)) ready(op.name, c);
  if (a.ptr === 0) return ofShort(op, attrs, a, b, c);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  const z = shape === undefined ? emptyLike(a) : empty(shape);
  op.forward(z, a, b, c, attrs);
  return recorded(op, attrs, z, a, b, c);
}

/** Whether x is a tensor with floats of its own: all that most ops are called with. */
const isFloats = (x: Tensor): boolean => x instanceof Tensor && x.ptr !== 0 && x.base === null && x.region.open;

/** `ready` for the first input, in a form that the op reads or lifts over. */
function readyInput<Attrs>({ name, lifts = Infinity, reads }: Op<Attrs>, a: Tensor): void {
  alive(a, name);
  if (a.ptr === 0 && !(repeatsSteps(a) && a.ndim > lifts)) ready(name, a, reads?.a !== undefined);
}

/** The output for spikes in bits; for an a that repeats a step, the output for the step, as often. */
function ofShort<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  const { shape = a.sizes } = (attrs ?? {}) as { shape?: Shape };
  if (repeatsSteps(a)) {
    const ofStep = attrs && { ...attrs, shape: shape.slice(1) };
    return composed(onStep, (x: Tensor) => apply(op, ofStep, x, b, c), a);
  }
  const keeps = op.keepsBits?.(attrs);
  if (keeps === false) ready(op.name, a);
  const z = keeps ? emptySpikes(shape) : empty(shape);
  op.forward(z, a, b, c, attrs);
  return recorded(op, attrs, z, a, b, c);
}
