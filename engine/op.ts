/**
 * An op is one record: its name, the forms that it reads, forward and backward. `apply` writes out other forms, runs the op, once where
 * all steps are the same, and puts the output on the tape where a gradient is wanted.
 */
import { composed } from "./composed.ts";
import { recorded } from "./record.ts";
import { allOrNothing, root, scope } from "./scope.ts";
import type { Shape } from "./shape.ts";
import { alive, empty, emptyLike, emptySpikes, type Op, ready, type Tensor } from "./tensor.ts";
import { repeated, repeatsSteps, stepOf } from "./views.ts";

export * from "./gradient.ts";
export * from "./record.ts";
/** For `saves` of an op, added up: which values its backward reads. Writing to one before `backward()` is an error then. */
export * as SAVES from "./saves.ts";
export type { Factors, GradientForm, Op, PlacesForm, Recorded } from "./tensor.ts";
export { bitsOf, formOf, ready } from "./tensor.ts";

const NONE = null as unknown as Tensor;

/** z = op(a, b, c), recorded if one of them requires a gradient. */
export const apply = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor = NONE, c: Tensor = NONE): Tensor =>
  scope === root ? applyAtRoot(op, attrs, a, b, c) : run(op, attrs, a, b, c);

/** At the root, no tape gives back what an op has taken before it fails. */
const applyAtRoot = <Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor =>
  allOrNothing(() => run(op, attrs, a, b, c));

function run<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  if (a?.ptr !== 0) ready(op.name, a);
  else if (repeatsSteps(a) && a.ndim > (op.lifts ?? Infinity)) return composed(lifted<Attrs>, op, attrs, a, b, c);
  else ready(op.name, a, op.reads?.a);
  if (b !== NONE) ready(op.name, b);
  if (c !== NONE) ready(op.name, c);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  const keepsBits = a.ptr === 0 && op.keepsBits?.(attrs) === true;
  const z = keepsBits ? emptySpikes(shape ?? a.sizes) : shape === undefined ? emptyLike(a) : empty(shape);
  op.forward(z, a, b, c, attrs);
  return recorded(op, attrs, z, a, b, c);
}

/** The op of the step that a repeats, and its output as often. */
function lifted<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor {
  alive(a, op.name);
  const shape = (attrs as { shape?: Shape } | null)?.shape;
  const ofStep = shape === undefined ? attrs : { ...attrs, shape: shape.slice(1) };
  const z = apply(op, ofStep, stepOf(a), b, c);
  return repeated(z, [a.sizes[0] as number, ...z.sizes]);
}
