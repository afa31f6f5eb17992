/** The stage of all-to-all neurons in a stream: product and neurons in one step. */
import { k } from "../../engine/extend.ts";
import type { Linear, Tensor } from "../../engine/index.ts";
import type { Kept } from "../layer/kept.ts";
import { Stage } from "../layer/stage.ts";
import { pureStage } from "../stream/stages.ts";

/** `neurons` read `current`: the input plus the product with the previous spikes. */
export function recurrentStage(
  neurons: Stage,
  input: Tensor,
  current: Tensor,
  recurrent: Linear,
  kept: readonly Kept[],
): Stage {
  const { output } = neurons;
  const product = pureStage(recurrent, output);
  return new Stage(output, { state: [output], memory: [current], parts: [neurons, product], kept }, () => {
    product.step();
    k.add(current.ptr, product.output.ptr, input.ptr, input.size);
    neurons.step();
  });
}
