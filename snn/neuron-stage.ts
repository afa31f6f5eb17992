/** Compiled neurons in a stream: one call for a step, with the state in place. */

import { k } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { noGrad, type Tensor } from "../engine/index.ts";
import { Neurons } from "./neuron.ts";
import { type CompiledNeuron, columnsOf } from "./neuron-op.ts";
import { own, ownSpikes, Stage, Watch } from "./stage.ts";

/** The stage of neurons that nothing feeds but this input. */
export function stageOfNeurons(layer: Neurons, input: Tensor): CompiledStage {
  layer.checkNeurons([1, ...input.sizes]);
  return new CompiledStage(layer.compiled, layer.givenParameters(), input, {
    start: () => composed(Neurons.started, layer, input.sizes),
    parameters: () => layer.loopParameters(layer.parametersNow()),
    compiled: () => layer.compiled,
  });
}

/** What a layer computes for its stage. */
interface Source {
  /** The state at the start, by name. */
  start(): Readonly<Record<string, Tensor>>;
  /** What the loop uses of the parameters now. */
  parameters(): readonly Tensor[];
  /** The step that the layer has now; null for another one. */
  compiled(): CompiledNeuron | null;
}

export class CompiledStage extends Stage {
  private readonly neuron: CompiledNeuron;
  private readonly names: readonly string[];
  private readonly states: readonly Tensor[];
  private readonly source: Source;
  /** Copies the parameters of the loop. */
  private readonly watch: Watch;
  private readonly run: () => void;

  constructor(neuron: CompiledNeuron, owned: readonly Tensor[], input: Tensor, source: Source) {
    const states = neuron.states.map(() => own(input.sizes));
    const output = neuron.packed ? ownSpikes(input.sizes) : own(input.sizes);
    const parameters: Tensor[] = [];
    const watch = new Watch(owned, () => {
      for (const [i, t] of source.parameters().entries()) {
        parameters[i] ??= own(t.sizes);
        parameters[i].copyFrom(t);
      }
    });
    const n = columnsOf(parameters, input.size);
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
    super(output, { state: states, memory: [...parameters, ...work], parameters: owned });
    this.run = step;
    this.neuron = neuron;
    this.names = neuron.states;
    this.states = states;
    this.source = source;
    this.watch = watch;
    this.start();
  }

  override check(): void {
    super.check();
    if (this.source.compiled() === this.neuron) return;
    throw new Error("Stream: neurons have another step now; make another stream");
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
