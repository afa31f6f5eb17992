/** Neurons in a stream: each step is one call of a hand-written kernel or a compiled step, with the state in place. */
import { spikesAt } from "../../engine/extend.ts";
import { noGrad, type Tensor } from "../../engine/index.ts";
import { unpack } from "../../engine/lasting.ts";
import { type Kept, keptOf, tensorsIn } from "../layer/kept.ts";
import { own, ownSpikes, Stage, Watch } from "../layer/stage.ts";
import type { Layer } from "../neuron/compiler.ts";
import type { Neurons } from "../neuron/neuron.ts";
import type { LoopValue } from "../neuron/parameters.ts";
import { columnCount, type Neuron, noteParameters } from "../neuron/run.ts";

/** The stage of neurons without recurrent connections. */
export function stageOfNeurons(layer: Neurons, input: Tensor): Stage {
  layer.checkNeurons([1, ...input.sizes]);
  const plain = layer.plainNow();
  return neuronStage(plain ?? layer.compiled, [keptOfNeurons(layer)], input, {
    start: () => layer.statesAtStart(input.sizes),
    parameters: () => (plain === null ? layer.loopOf(layer.compiled, null) : Object.values(layer.parametersNow())),
  });
}

/** The parameters of neurons, and their form. */
export const keptOfNeurons = (layer: Layer): Kept => keptOf(layer, [...Object.keys(layer.form.parameters), "replaced"]);

/** The values that a layer computes for its stage. */
interface Source {
  /** The state at the start, by name. */
  start(): Readonly<Record<string, Tensor>>;
  /** The loop parameters, computed from the present parameters of the layer. */
  parameters(): readonly LoopValue[];
}

export function neuronStage(neuron: Neuron, kept: readonly Kept[], input: Tensor, source: Source): Stage {
  const states = neuron.states.map(() => own(input.sizes));
  const output = neuron.packed ? ownSpikes(input.sizes) : own(input.sizes);
  const parameters: Tensor[] = [];
  // Copies the parameters of the loop.
  const watch = new Watch(tensorsIn(kept), () => {
    for (const [i, values] of source.parameters().entries()) {
      const isTensor = !(values instanceof Float32Array);
      parameters[i] ??= own(isTensor ? values.sizes : [values.length]);
      parameters[i].copyFrom(values);
    }
  });
  const n = columnCount(neuron.op.name, parameters, input.size);
  const work: Tensor[] = [];
  const take = (bytes: number): number => {
    const t = own([bytes / 4]);
    work.push(t);
    return t.ptr;
  };
  const pass = neuron.oneStep(input.size / n, n);
  pass.begin(take);
  noteParameters(pass, parameters);
  pass.input(0, input.ptr, 0);
  states.forEach((t, i) => pass.state(i, t.ptr, t.ptr));
  const start = (): void =>
    noGrad(() => {
      const values = source.start();
      for (const [i, t] of states.entries()) t.copyFrom(values[neuron.states[i] as string] as Tensor);
    });
  start();
  return new Stage(output, { state: states, memory: [...parameters, ...work], kept, start }, () => {
    watch.refresh();
    // The step adds to the bits, so they are cleared first.
    pass.output(neuron.mainAt, spikesAt(output));
    pass.run();
    unpack(output);
  });
}
