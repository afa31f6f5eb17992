/** The number of samples in the input of a network, by the inputs that its layers got. */
import { wrongValue } from "../../engine/arguments.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";

/** Rows of the inputs of layers, and their time steps in all runs. */
class Inputs {
  readonly rows = new Set<number>();
  readonly steps = new Map<Module, number>();

  add(layer: Module, steps: number, rows: number): void {
    this.rows.add(rows);
    this.steps.set(layer, (this.steps.get(layer) ?? 0) + steps);
  }
}

/**
 * The batch that layers got. Sequences [T, B, …] tell B; without sequences, inputs [B, …] tell it. The axis of the samples is the axis of
 * the input of the network that has this size.
 */
export class BatchSize {
  private readonly sequences = new Inputs();
  private readonly singles = new Inputs();
  /** Whether a layer got several axes of which the batch may be any. */
  private isUnclear = false;

  /** A layer got x [T, B, …]. */
  sequence(layer: Module, { sizes }: Tensor): void {
    this.sequences.add(layer, sizes[0] ?? 1, sizes[1] ?? 1);
  }

  /** A layer got x [..., features] with `axes` axes of features. */
  input(layer: Module, { sizes, ndim }: Tensor, axes: number): void {
    if (ndim === axes + 1) this.singles.add(layer, 1, sizes[0] as number);
    else this.isUnclear = true;
  }

  /** B, or null where the layers do not agree. */
  get size(): number | null {
    const { sequences, singles, isUnclear } = this;
    const { rows } = sequences.rows.size > 0 ? sequences : singles;
    return rows.size !== 1 || (isUnclear && sequences.rows.size === 0) ? null : ([...rows][0] as number);
  }

  /**
   * B for an input of the network of this shape.
   *
   * @throws RangeError where no axis, or each of both, may count the samples.
   */
  in(where: string, shape: Shape): number {
    const { sequences, singles, isUnclear, size } = this;
    const [first = 0, second] = shape;
    const hasSequences = sequences.rows.size > 0;
    // Nothing multiplied, and no neuron ran.
    if (!hasSequences && singles.rows.size === 0 && !isUnclear && shape.length > 0) return first;
    const isTime = [...(hasSequences ? sequences : singles).steps.values()].includes(first);
    if (size !== null && size === first && size === second) return size;
    // A model may fold another axis into the batch: then rows are a multiple of the samples.
    const isSecond = size === second && (isTime ? hasSequences || first > 1 : (size as number) % first !== 0);
    const isFirst = size === first && !(isTime && size > (second ?? size) && size % (second as number) === 0);
    if (size === null || !(isFirst || isSecond)) {
      const got = size === null ? "no batch that all layers have" : `batches of ${size}`;
      throw wrongValue(
        where,
        "batchAxis for an input whose samples no layer tells",
        `${formatShape(shape)} and ${got}`,
      );
    }
    return size;
  }
}
