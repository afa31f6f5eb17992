/** The stage of all-to-all neurons in a stream: product and neurons in one step. */
import { k } from "../../engine/extend.ts";
import type { Linear, Tensor } from "../../engine/index.ts";
import type { Kept } from "../layer/kept.ts";
import { Stage } from "../layer/stage.ts";
import { PureStage } from "../stream/stages.ts";

export class RecurrentStage extends Stage {
  private readonly neurons: Stage;
  private readonly input: Tensor;
  private readonly current: Tensor;
  private readonly product: Stage;

  /** `neurons` read `current`: the input plus the product with the previous spikes. */
  constructor(neurons: Stage, input: Tensor, current: Tensor, recurrent: Linear, kept: readonly Kept[]) {
    const { output } = neurons;
    const product = new PureStage(recurrent, output);
    super(output, { state: [output], memory: [current, ...neurons.memory, ...product.memory], kept });
    this.neurons = neurons;
    this.input = input;
    this.current = current;
    this.product = product;
  }

  override check(): void {
    super.check();
    this.neurons.check();
    this.product.check();
  }

  step(): void {
    const { neurons, input, current, product } = this;
    product.step();
    k.add(current.ptr, product.output.ptr, input.ptr, input.size);
    neurons.step();
  }

  override reset(): void {
    super.reset();
    this.neurons.reset();
  }
}
