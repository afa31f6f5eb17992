/** Infers the number of samples in the input of a network from the inputs of its layers. */
import { wrongValue } from "../../engine/arguments.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";

/** Rows of the inputs of layers, and their time steps over all runs. */
class Inputs {
  readonly rows = new Set<number>();
  readonly steps = new Map<Module, number>();

  add(layer: Module, steps: number, rows: number): void {
    this.rows.add(rows);
    this.steps.set(layer, (this.steps.get(layer) ?? 0) + steps);
  }
}

/**
 * The batch size of layers' inputs: from sequences [T, B, …] if a layer has such inputs, otherwise from inputs [B, …]. The samples are on
 * the axis of the network's input that has this size.
 */
export class BatchSize {
  private readonly sequences = new Inputs();
  private readonly singles = new Inputs();
  /** Whether a layer's input has several axes that may be the batch. */
  private isUnclear = false;

  /** Records an input x [T, B, …] of a layer. */
  sequence(layer: Module, { sizes }: Tensor): void {
    this.sequences.add(layer, sizes[0] ?? 1, sizes[1] ?? 1);
  }

  /** Records an input x [..., features], with `axes` axes of features. */
  input(layer: Module, { sizes, ndim }: Tensor, axes: number): void {
    if (ndim === axes + 1) this.singles.add(layer, 1, sizes[0] as number);
    else this.isUnclear = true;
  }

  /** B; null if the layers disagree. */
  get size(): number | null {
    const { sequences, singles, isUnclear } = this;
    const { rows } = sequences.rows.size > 0 ? sequences : singles;
    return rows.size !== 1 || (isUnclear && sequences.rows.size === 0) ? null : ([...rows][0] as number);
  }

  /**
   * B for a network input of this shape.
   *
   * @throws RangeError unless exactly one axis may be that of the samples.
   */
  in(where: string, shape: Shape): number {
    const { sequences, singles, isUnclear, size } = this;
    const [first = 0, second] = shape;
    const hasSequences = sequences.rows.size > 0;
    // The model has neither products nor neurons.
    if (!hasSequences && singles.rows.size === 0 && !isUnclear && shape.length > 0) return first;
    const isTime = [...(hasSequences ? sequences : singles).steps.values()].includes(first);
    if (size !== null && size === first && size === second) return size;
    // If a model folds a further axis into the batch, rows are a multiple of the samples.
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
