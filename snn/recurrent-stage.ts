/** Neurons that all feed each other, in a stream. */
import { k, RepeatedLinear } from "../engine/extend.ts";
import type { Linear, Tensor } from "../engine/index.ts";
import { Stage } from "./stage.ts";

export class RecurrentStage extends Stage {
  private readonly neurons: Stage;
  private readonly input: Tensor;
  private readonly current: Tensor;
  private readonly product: RepeatedLinear;

  /** `neurons` read `current`, which is the input and what spikes of the step before add to it. */
  constructor(
    neurons: Stage,
    owned: readonly Tensor[],
    input: Tensor,
    current: Tensor,
    { weight, bias }: Pick<Linear, "weight" | "bias">,
  ) {
    const { output } = neurons;
    super(output, { state: [output], memory: [current, ...neurons.memory], parameters: owned });
    this.neurons = neurons;
    this.input = input;
    this.current = current;
    this.product = new RepeatedLinear(current, output, weight, bias);
  }

  step(): void {
    const { neurons, input, current, product } = this;
    product.run();
    k.addTo(current.ptr, input.ptr, input.size);
    neurons.step();
  }

  override reset(): void {
    super.reset();
    this.neurons.reset();
  }
}
