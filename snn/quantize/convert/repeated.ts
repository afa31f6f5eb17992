/** The input of a converted network: a sample repeated in each time step, as a module. */
import { wrongValue } from "../../../engine/arguments.ts";
import { alive } from "../../../engine/extend.ts";
import { expand, Module, type Tensor } from "../../../engine/index.ts";
import { traitsOf } from "../../../engine/protocol.ts";
import { formatShape } from "../../../engine/shape.ts";

/**
 * Repeats samples [B, …] as the current of T steps, [T, B, …]; sequences [T, B, …] are passed through. The number of axes distinguishes the
 * two. The next layers compute a repeated sample once.
 */
export class Repeated extends Module {
  /** T, the number of steps for which a sample [B, …] is repeated. */
  readonly timesteps: number;
  /** Number of axes of a sample, without the batch. */
  readonly sampleAxes: number;
  /** NIR graphs have no node for the layer, since their input is a sequence. */
  get inGraph(): null {
    return null;
  }

  constructor(timesteps: number, sampleAxes: number) {
    super(TRAITS);
    this.timesteps = timesteps;
    this.sampleAxes = sampleAxes;
  }

  /**
   * [B, …] → [T, B, …]; [T, B, …] → a view of it.
   *
   * @throws RangeError for a different number of axes.
   */
  forward(x: Tensor): Tensor {
    alive(x, "toSpiking");
    const { sizes, ndim } = x;
    const axes = ndim - this.sampleAxes;
    // A view, since the next layer may overwrite a tensor that has no other owner.
    if (axes === 2) return x.reshape(sizes);
    if (axes === 1) return expand(x, [this.timesteps, ...sizes]);
    const sample = Array.from({ length: this.sampleAxes }, () => ", n").join("");
    throw wrongValue("toSpiking", `samples [B${sample}] or sequences [T, B${sample}]`, formatShape(sizes));
  }
}

const TRAITS = traitsOf(Repeated, "pure");
