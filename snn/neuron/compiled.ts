/** Neurons on the compiler of steps. Files that make neurons with compiled steps import this file, which registers the compiler. */
import { inReference } from "../../engine/extend.ts";
import { onTensors } from "../../engine/fuse/index.ts";
import { type Tensor, zeros } from "../../engine/index.ts";
import { scope } from "../../engine/lasting.ts";
import type { Shape } from "../../engine/shape.ts";
import { type Compiler, type Layer, type NeuronSteps, useCompiler } from "./compiler.ts";
import { Described } from "./described.ts";
import type { NeuronSpec } from "./form.ts";
import { RivalRun, winnersOnTensors } from "./inhibition.ts";
import { type LoopValue, scalar } from "./parameters.ts";
import { PLAIN_FORMS } from "./plain-forms.ts";
import { NeuronRun, runSteps, type States } from "./run.ts";

/** Runs T steps and keeps the last states; `all`: each output may be read later. */
function begin(layer: Layer, current: Tensor, T: number, step: Shape, from: States | null, all: boolean): NeuronSteps {
  if (inReference()) return stepsOnTensors(layer, current, step, from as readonly Tensor[] | null);
  const { compiled, scores } = layer;
  const recorded = layer.onRecord();
  const values = layer.loopOf(compiled, recorded);
  const states = from ?? compiled.startOf(layer, step, recorded);
  const run =
    scores === null
      ? new NeuronRun(compiled, current, T, values, states)
      : new RivalRun(scores, layer.loopOf(scores, null), compiled, current, T, values, states, [zeros(current.sizes)]);
  return run.forward(all, step);
}

function run(layer: Layer, current: Tensor, T: number, step: Shape, states: Tensor[] | null, over: boolean): Tensor {
  const { compiled, scores } = layer;
  if (inReference() || scores !== null) {
    const { z, last } = begin(layer, current, T, step, states && [...states], false);
    if (states !== null) for (let i = 0; i < states.length; i++) states[i] = last[i] as Tensor;
    return z;
  }
  const recorded = layer.onRecord();
  if (states !== null) return runSteps(compiled, current, T, layer.loopOf(compiled, recorded), states, step, over);
  const from = scope.recording ? compiled.startOf(layer, step, recorded) : compiled.startValues(layer);
  return runSteps(compiled, current, T, layer.loopOf(compiled, recorded), from as (LoopValue | null)[], null, over);
}

/** The step on tensors, for the float64 kernels of `gradcheck`. */
function stepsOnTensors(layer: Layer, current: Tensor, step: Shape, from: readonly Tensor[] | null): NeuronSteps {
  const { compiled, scores } = layer;
  const { program, outputs: names, mainAt } = compiled;
  const parameters = layer.parametersNow();
  const before = from ?? layer.startTerms(parameters, (t) => scalar(t).expand(step));
  const choose = scores && winnersOnTensors(scores, parameters);
  const { outputs, states } = onTensors(program.traced, current, step, before, parameters, choose);
  const output = (i: number): Tensor => outputs[names[i] as string] as Tensor;
  return { z: output(mainAt), names, output, last: states };
}

const compiler: Compiler = {
  read: (name, options) => new Described(PLAIN_FORMS[name] as NeuronSpec, options),
  begin: (layer, current, T, step, from) => begin(layer, current, T, step, from, true),
  run,
};

useCompiler(compiler);
