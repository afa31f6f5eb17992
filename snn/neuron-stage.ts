/** Compiled neurons in a stream: one call for a step, with the state in place. */

import { k } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { noGrad, type Tensor } from "../engine/index.ts";
import { type Kept, keptOf, tensorsIn } from "./kept.ts";
import { Neurons } from "./neuron.ts";
import { type CompiledNeuron, columnsOf } from "./neuron-op.ts";
import { own, ownSpikes, Stage, Watch } from "./stage.ts";

/** The parameters of neurons, and their step. */
export const keptOfNeurons = (layer: Neurons): Kept =>
  keptOf(layer, [...Object.keys(layer.form.parameters), "compiled"]);

/** The stage of neurons that nothing feeds but this input. */
export function stageOfNeurons(layer: Neurons, input: Tensor): CompiledStage {
  layer.checkNeurons([1, ...input.sizes]);
  return new CompiledStage(layer.compiled, [keptOfNeurons(layer)], input, {
    start: () => composed(Neurons.started, layer, input.sizes),
    parameters: () => layer.loopParameters(layer.parametersNow()),
  });
}

/** What a layer computes for its stage. */
interface Source {
  /** The state at the start, by name. */
  start(): Readonly<Record<string, Tensor>>;
  /** What the loop uses of the parameters now. */
  parameters(): readonly Tensor[];
}

export class CompiledStage extends Stage {
  private readonly names: readonly string[];
  private readonly states: readonly Tensor[];
  private readonly source: Source;
  /** Copies the parameters of the loop. */
  private readonly watch: Watch;
  private readonly run: () => void;

  constructor(neuron: CompiledNeuron, kept: readonly Kept[], input: Tensor, source: Source) {
    const states = neuron.states.map(() => own(input.sizes));
    const output = neuron.packed ? ownSpikes(input.sizes) : own(input.sizes);
    const parameters: Tensor[] = [];
    const watch = new Watch(tensorsIn(kept), () => {
      for (const [i, t] of source.parameters().entries()) {
        parameters[i] ??= own(t.sizes);
        parameters[i].copyFrom(t);
      }
    });
    const n = columnsOf(neuron.name, parameters, input.size);
    const addresses = states.map((t) => t.ptr);
    const work: Tensor[] = [];
    const take = (bytes: number): number => {
      const t = own([bytes / 4]);
      work.push(t);
      return t.ptr;
    };
    const run = {
      T: 1,
      rows: input.size / n,
      n,
      inputs: [{ at: input.ptr, step: 0 }],
      parameters: parameters.map((t) => t.ptr),
      from: addresses,
      saved: [],
      to: addresses,
      outputs: neuron.addresses(output),
    };
    const step = neuron.code([], null).repeated(run, take);
    super(output, { state: states, memory: [...parameters, ...work], kept });
    this.run = step;
    this.names = neuron.states;
    this.states = states;
    this.source = source;
    this.watch = watch;
    this.start();
  }

  step(): void {
    this.watch.refresh();
    this.run();
    const { output } = this;
    if (output.bits !== 0) k.unpackBits(output.ptr, output.bits, output.size);
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
