/**
 * Runs a program on the backend in use and shows an observer everything that can be compared: every value, and the
 * gradient of every recorded tensor, inside of composed ops too, when backward consumes it.
 *
 * The gradients are seen through the records: each keeps its op, but for a backward that shows the gradient first.
 */
import { heap, integersAt } from "../../engine/core/backend.ts";
import { type Recorded, recordsOf } from "../../engine/core/op.ts";
import { root, scope } from "../../engine/core/scope.ts";
import { gradientSize } from "../../engine/forms/gradients.ts";
import type { GradientForm } from "../../engine/forms/shortcuts.ts";
import { noGrad, parameter, type Tensor, tape, tensor } from "../../engine/index.ts";
import { call, type Item, inputsOf, type Leaf, type Program, resolve, type Step } from "./program.ts";

export interface Observer {
  /** A step is about to run on these arguments. */
  before?(step: Step, args: readonly unknown[]): void;
  /** The tensors of an item (null: the loss) and the records that it made, numbered from `first`. */
  made(item: Item | null, tensors: readonly Tensor[], records: readonly Tensor[], first: number): void;
  /** Backward consumes a record: its gradient is complete. */
  gradient(record: number, z: Tensor): void;
  /** Its backward has passed on what its inputs get. */
  passed?(z: Tensor): void;
  /** The end: everything is still there. */
  finished(tensors: ReadonlyMap<number, Tensor>): void;
}

/** Runs the program in a tape of its own and frees what it leaves outside of it. */
export function execute(program: Program, observer: Observer): void {
  const tensors = new Map<number, Tensor>();
  try {
    for (const item of program.items) if (item.kind === "parameter") tensors.set(item.ids[0], parameter(place(item)));
    tape(() => runItems(program.items, tensors, observer));
  } finally {
    for (const t of tensors.values()) if (t.region === root.region) t.dispose();
  }
}

const place = ({ kind, values, shape }: Leaf): Tensor => tensor(values, { shape, requiresGrad: kind === "leaf" });

/** Layers that are one record with the kernels, and steps of tensors in the reference: only what they give is compared. */
export const COMPILED = ["LIF", "RecurrentLIF", "LeakyIntegrator", "filteredTrace", "vanRossumLoss"];

export const isCompiled = (item: Item | null): boolean => item?.kind === "step" && COMPILED.includes(item.op);

function runItems(items: readonly Item[], tensors: Map<number, Tensor>, observer: Observer): void {
  let [seen, numbered] = [0, 0];
  const made = (item: Item | null, results: readonly Tensor[]): void => {
    const all = recordsOf(scope).slice(seen);
    const records = isCompiled(item) ? [...new Set(results)].filter((z) => z.op !== null) : all;
    const numbers = new Map(records.map((z, i) => [z, numbered + i]));
    for (const z of all) if (!isPart(z)) watch(z, numbers, observer);
    observer.made(item, results, records, numbered);
    seen += all.length;
    numbered += records.length;
  };
  for (const item of items) {
    if (item.kind === "step") {
      const results = perform(item, tensors, observer);
      item.ids.forEach((id, i) => {
        tensors.set(id, results[i] as Tensor);
      });
      made(item, results);
    } else {
      const [id] = item.ids;
      if (item.kind !== "parameter") tensors.set(id, place(item));
      made(item, [tensors.get(id) as Tensor]);
    }
  }
  const loss = lossOf(items, tensors);
  if (loss !== null) {
    made(null, [loss]);
    loss.backward();
  }
  observer.finished(tensors);
}

export function perform(step: Step, tensors: ReadonlyMap<number, Tensor>, observer?: Observer): Tensor[] {
  const args = step.args.map((arg) => resolve(arg, tensors));
  observer?.before?.(step, args);
  if (step.within === null) return call(step, args);
  return (step.within === "tape" ? tape : noGrad)(() => call(step, args));
}

/** Further outputs wait for the record of the first one, which goes by its op. */
const isPart = (z: Tensor): boolean => z.op?.name === "part";

function watch(z: Tensor, numbers: ReadonlyMap<Tensor, number>, observer: Observer): void {
  const outputs = [z, ...(z.parts ?? [])].filter((output) => output !== undefined && numbers.has(output)) as Tensor[];
  if (outputs.length === 0) return;
  const op = z.op as Recorded<unknown>;
  const backward: Recorded<unknown>["backward"] = (...args) => {
    for (const output of outputs) {
      if (output.gradPtr !== 0) observer.gradient(numbers.get(output) as number, output);
    }
    op.backward(...args);
    observer.passed?.(z);
  };
  z.op = { ...op, backward } as Recorded<never>;
}

/** The sum of means, of weighted sums and of sums over what nothing reads. */
function lossOf(items: readonly Item[], tensors: ReadonlyMap<number, Tensor>): Tensor | null {
  const read = new Set(items.flatMap(inputsOf));
  let loss: Tensor | null = null;
  for (const id of items.flatMap((item) => item.ids)) {
    const z = tensors.get(id) as Tensor;
    if (read.has(id) || !z.requiresGrad) continue;
    const part = id % 4 === 0 ? z.mean() : id % 4 === 1 ? z.sum() : z.mul(weights(z)).sum();
    loss = loss === null ? part : loss.add(part);
  }
  return loss;
}

/** Exact in few bits, and different from element to element. */
function weights({ shape, size }: Tensor): Tensor {
  return tensor(
    Float32Array.from({ length: size }, (_, i) => (((i * 7) % 11) - 4) / 4),
    { shape },
  );
}

/** Where the values lie, also of spikes in bits and of constant expansions, which are not written out for it. */
export function valuesOf(t: Tensor): Float32Array | Float64Array {
  if (t.ptr !== 0) return heap.view(t.ptr, t.size);
  const source = t.base === null ? null : valuesOf(t.base);
  const words = source === null ? integersAt(t.bits, Math.ceil(t.size / 32)) : null;
  return Float64Array.from({ length: t.size }, (_, i) => {
    if (words !== null) return ((words[i >> 5] as number) >>> (i & 31)) & 1;
    return (source as Float64Array)[i % (source as Float64Array).length] as number;
  });
}

/** What lies at the gradient's address: of one step where it is the same in all, of the windows where a max pool gave it. */
export function gradientOf(t: Tensor): Float32Array | Float64Array {
  return heap.view(t.gradPtr, gradientSize(t));
}

/** The places that the gradients of a max pool's windows go to; none for other gradients. */
export function placesOf({ gradForm }: Tensor): number[] {
  const form = gradForm as GradientForm | null;
  return form?.kind === "places" ? Array.from(integersAt(form.places, form.windows), (place) => place | 0) : [];
}
