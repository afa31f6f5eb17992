/** Neurons in a stream: one call for a step, with the state in place, of a hand-written kernel or of a compiled step. */
import { k } from "../../engine/extend.ts";
import type { Bound } from "../../engine/fuse/index.ts";
import { noGrad, type Tensor } from "../../engine/index.ts";
import { unpack } from "../../engine/lasting.ts";
import { type Kept, keptOf, tensorsIn } from "../layer/kept.ts";
import { own, ownSpikes, Stage, Watch } from "../layer/stage.ts";
import type { Layer } from "../neuron/compiler.ts";
import type { Neurons } from "../neuron/neuron.ts";
import type { CompiledNeuron } from "../neuron/op.ts";
import { columnCount, type LoopValue, noteParameters } from "../neuron/parameters.ts";
import { describeStep, PLAIN_WORDS, type Plain } from "../neuron/plain.ts";

/** The stage of neurons that nothing feeds but this input. */
export function stageOfNeurons(layer: Neurons, input: Tensor): Stage {
  layer.checkNeurons([1, ...input.sizes]);
  const plain = layer.plainNow();
  if (plain !== null) return new PlainStage(layer, plain, input);
  return new CompiledStage(layer.compiled, [keptOfNeurons(layer)], input, {
    start: () => layer.statesAtStart(input.sizes),
    parameters: () => layer.loopOf(layer.compiled, null),
  });
}

/** A layer of plain neurons, with its parameters as a step takes them; a readout has no threshold. */
interface PlainLayer {
  parametersNow(): { readonly beta?: Tensor; readonly threshold?: Tensor };
}

class PlainStage extends Stage {
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
    unpack(output);
  }
}

/** The parameters of neurons, and their form. */
export const keptOfNeurons = (layer: Layer): Kept => keptOf(layer, [...Object.keys(layer.form.parameters), "form"]);

/** The values that a layer computes for its stage. */
interface Source {
  /** The state at the start, by name. */
  start(): Readonly<Record<string, Tensor>>;
  /** The parameters of the loop, computed from the present parameters of the layer. */
  parameters(): readonly LoopValue[];
}

export class CompiledStage extends Stage {
  private readonly names: readonly string[];
  private readonly states: readonly Tensor[];
  private readonly source: Source;
  /** Copies the parameters of the loop. */
  private readonly watch: Watch;
  private readonly bound: Bound;
  private readonly neuron: CompiledNeuron;

  constructor(neuron: CompiledNeuron, kept: readonly Kept[], input: Tensor, source: Source) {
    const states = neuron.states.map(() => own(input.sizes));
    const output = neuron.packed ? ownSpikes(input.sizes) : own(input.sizes);
    const parameters: Tensor[] = [];
    const watch = new Watch(tensorsIn(kept), () => {
      for (const [i, values] of source.parameters().entries()) {
        const isTensor = !(values instanceof Float32Array);
        parameters[i] ??= own(isTensor ? values.sizes : [values.length]);
        parameters[i].copyFrom(values);
      }
    });
    const n = columnCount(neuron.name, parameters, input.size);
    const work: Tensor[] = [];
    const take = (bytes: number): number => {
      const t = own([bytes / 4]);
      work.push(t);
      return t.ptr;
    };
    const bound = neuron.oneStep(input.size / n, n);
    bound.begin(take);
    noteParameters(bound, parameters);
    bound.input(0, input.ptr, 0);
    states.forEach((t, i) => bound.state(i, t.ptr, t.ptr));
    super(output, { state: states, memory: [...parameters, ...work], kept });
    this.bound = bound;
    this.neuron = neuron;
    this.names = neuron.states;
    this.states = states;
    this.source = source;
    this.watch = watch;
    this.start();
  }

  step(): void {
    this.watch.refresh();
    const { output, neuron, bound } = this;
    // The step adds to the bits, which are set to 0 here.
    bound.output(neuron.mainAt, neuron.packed ? output.bits : output.ptr);
    bound.run();
    unpack(output);
  }

  override reset(): void {
    super.reset();
    this.start();
  }

  private start(): void {
    noGrad(() => {
      const start = this.source.start();
      for (const [i, t] of this.states.entries()) t.copyFrom(start[this.names[i] as string] as Tensor);
    });
  }
}
