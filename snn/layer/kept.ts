/** Snapshots of layer fields that a stream or a rule has read once; a field replaced later would have no effect, so it is an error. */
import { Tensor } from "../../engine/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A layer, and the values of its fields when they were read. */
export abstract class Kept {
  readonly layer: Fields;
  /** The values that the fields had, by name. */
  readonly values: Fields;
  /** Fields that few layers have, and their values. */
  private readonly others: readonly string[];
  private readonly before: readonly unknown[];

  constructor(layer: Fields, names: readonly string[], usual: readonly string[]) {
    this.layer = layer;
    this.values = Object.fromEntries([...usual, ...names].map((name) => [name, layer[name]]));
    this.others = names.filter((name) => !usual.includes(name));
    this.before = this.others.map((name) => layer[name]);
  }

  /**
   * Whether the usual fields still have these values. A subclass names the fields in its code, which is fast enough
   * for a check in each step.
   */
  protected abstract hasUsual(): boolean;

  /** Whether all fields still have these values. */
  isSame(): boolean {
    const { layer, others, before } = this;
    for (let i = 0; i < others.length; i++) if (layer[others[i] as string] !== before[i]) return false;
    return this.hasUsual();
  }
}

class KeptWeights extends Kept {
  private readonly weight = this.values.weight;
  private readonly bias = this.values.bias;
  private readonly reading = this.values.reading;

  constructor(layer: Fields, names: readonly string[]) {
    super(layer, names, ["weight", "bias", "reading"]);
  }

  protected hasUsual(): boolean {
    const { layer } = this;
    return layer.weight === this.weight && layer.bias === this.bias && layer.reading === this.reading;
  }
}

class KeptNeurons extends Kept {
  private readonly replaced = this.values.replaced;
  private readonly beta = this.values.beta;
  private readonly threshold = this.values.threshold;

  constructor(layer: Fields, names: readonly string[]) {
    super(layer, names, ["replaced", "beta", "threshold"]);
  }

  protected hasUsual(): boolean {
    const { layer } = this;
    return layer.replaced === this.replaced && layer.beta === this.beta && layer.threshold === this.threshold;
  }
}

/** Reads the fields of these names; without names, all fields that are tensors, functions or null. */
export function keptOf(layer: object, names?: readonly string[]): Kept {
  const of = layer as Fields;
  const isRead = (value: unknown) => value === null || typeof value === "function" || value instanceof Tensor;
  const read = names ?? Object.keys(of).filter((name) => isRead(of[name]));
  return read.includes("replaced") ? new KeptNeurons(of, read) : new KeptWeights(of, read);
}

/** The tensors among the values. */
export const tensorsIn = (kept: readonly Kept[]): Tensor[] =>
  kept.flatMap(({ values }) => Object.values(values)).filter((value) => value instanceof Tensor);

/**
 * Throws if a field of a layer was replaced since, with a hint to make a new `maker`.
 *
 * @throws Error that names the layer and the field.
 */
export function checkKept(where: string, maker: string, kept: readonly Kept[]): void {
  for (let i = 0; i < kept.length; i++) {
    const each = kept[i] as Kept;
    if (!each.isSame()) throw changed(where, maker, each);
  }
}

/** Words for fields with internal names. */
const WORDS: Fields = { replaced: "step", reading: "mask or grid" };

function changed(where: string, maker: string, { layer, values }: Kept): Error {
  const name = Object.keys(values).find((each) => layer[each] !== values[each]) as string;
  return new Error(`${where}: ${layer.constructor.name} has another ${WORDS[name] ?? name} now; make another ${maker}`);
}
