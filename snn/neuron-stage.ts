/** Compiled neurons in a stream: one call for a step, with the state in place. */
import { k } from "../engine/backend.ts";
import type { Fused } from "../engine/fuse/index.ts";
import { noGrad, type Tensor } from "../engine/index.ts";
import { type CompiledNeuron, columnsOf } from "./neuron-op.ts";
import { own, ownSpikes, Stage } from "./stage.ts";

/** What a layer computes for its stage. */
interface Source {
  /** The state at the start, by name. */
  start(): Readonly<Record<string, Tensor>>;
  /** What the loop uses of the parameters now. */
  parameters(): readonly Tensor[];
}

export class CompiledStage extends Stage {
  private readonly neuron: CompiledNeuron;
  private readonly code: Fused;
  private readonly input: Tensor;
  private readonly states: readonly Tensor[];
  private readonly addresses: readonly number[];
  private readonly source: Source;

  constructor(neuron: CompiledNeuron, owned: readonly Tensor[], input: Tensor, source: Source) {
    const states = neuron.states.map(() => own(input.sizes));
    super(neuron.packed ? ownSpikes(input.sizes) : own(input.sizes), { state: states, parameters: owned });
    this.neuron = neuron;
    this.code = neuron.code([], null);
    this.input = input;
    this.states = states;
    this.addresses = states.map((t) => t.ptr);
    this.source = source;
    this.start();
  }

  step(): void {
    const { neuron, input, output, addresses } = this;
    const parameters = this.source.parameters();
    const n = columnsOf(parameters, input.size);
    this.code.forward({
      T: 1,
      rows: input.size / n,
      n,
      inputs: [{ at: input.ptr, step: 0 }],
      parameters: parameters.map((t) => t.ptr),
      from: addresses,
      saved: [],
      to: addresses,
      outputs: neuron.addresses(output),
    });
    if (neuron.packed) k.unpackBits(output.ptr, output.bits, output.size);
  }

  override reset(): void {
    super.reset();
    this.start();
  }

  private start(): void {
    noGrad(() => {
      const start = this.source.start();
      this.neuron.states.forEach((name, i) => {
        this.states[i]?.copyFrom(start[name] as Tensor);
      });
    });
  }
}
