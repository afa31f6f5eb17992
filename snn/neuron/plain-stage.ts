/** Plain neurons in a stream: one call of a kernel for a step, with the state in place. */
import { k } from "../../engine/backend.ts";
import type { Tensor } from "../../engine/index.ts";
import { keptOf, tensorsIn } from "../layer/kept.ts";
import { own, ownSpikes, Stage, Watch } from "../layer/stage.ts";
import { describeStep, PLAIN_WORDS, type Plain } from "./plain.ts";

/** A layer of plain neurons, with its parameters as a step takes them; a readout has no threshold. */
interface PlainLayer {
  parametersNow(): { readonly beta?: Tensor; readonly threshold?: Tensor };
}

export class PlainStage extends Stage {
  private readonly descriptor: Tensor;
  /** Copies the parameters. */
  private readonly watch: Watch;

  constructor(layer: PlainLayer, plain: Plain, input: Tensor) {
    const output = plain.surrogate === null ? own(input.sizes) : ownSpikes(input.sizes);
    const state = own(input.sizes);
    const descriptor = own([PLAIN_WORDS]);
    const kept = [keptOf(layer, ["form", "beta", "threshold"])];
    const copies: Tensor[] = [];
    const watch = new Watch(tensorsIn(kept), () => {
      const { beta, threshold } = layer.parametersNow();
      for (const [i, t] of [beta, threshold].entries()) {
        if (t === undefined) continue;
        copies[i] ??= own(t.sizes);
        copies[i].copyFrom(t);
      }
    });
    const [beta, threshold = null] = copies as [Tensor, Tensor?];
    super(output, { state: [state], memory: [descriptor, ...copies], kept });
    describeStep(plain, descriptor.ptr, input, beta, threshold, state, output);
    this.descriptor = descriptor;
    this.watch = watch;
  }

  step(): void {
    const { output, descriptor } = this;
    this.watch.refresh();
    k.lifForward(descriptor.ptr);
    if (output.bits !== 0) k.unpackBits(output.ptr, output.bits, output.size);
  }
}
