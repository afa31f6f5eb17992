/** Neurons on the compiler of steps. A file that makes neurons with compiled steps imports this one, which hands the compiler over. */
import { numberOf } from "../../engine/arguments.ts";
import { inReference } from "../../engine/extend.ts";
import { onTensors, Program, print, type Value } from "../../engine/fuse/index.ts";
import { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { IN_FLOAT32 } from "../layer/checks.ts";
import type { Wanted } from "../layer/temporal.ts";
import { type Compiler, type Layer, type Run, useCompiler } from "./compiler.ts";
import type { Named } from "./form.ts";
import { Rivals, winnersOnTensors } from "./inhibition.ts";
import { CompiledNeuron, StepRun } from "./op.ts";
import { type LoopValue, scalar } from "./parameters.ts";
import { scoresOf, stepOf } from "./step.ts";

/** Shorter names in equations. */
export const SYMBOLS = "current I winner w spikes s membrane u threshold θ refractory r";

/** Runs T steps. */
function run(
  layer: Layer,
  current: Tensor,
  T: number,
  step: Shape,
  from: readonly Tensor[] | null,
  wanted: Wanted,
  over: boolean,
): Run {
  if (inReference()) return stepsOnTensors(layer, current, step, from);
  const { compiled, scores } = layer;
  const recorded = layer.onRecord();
  const values = compiled.loop.of(layer, recorded) as readonly LoopValue[];
  const rivals =
    scores && new Rivals(scores, scores.loop.of(layer, null) as readonly LoopValue[], step[step.length - 1] as number);
  const steps = StepRun.over(
    compiled,
    current,
    T,
    values,
    from ?? compiled.startOf(layer, step, recorded),
    null,
    rivals,
  );
  const outputs = wanted === "all" ? compiled.all : 1 << compiled.mainAt;
  return steps.forward(outputs, wanted === "main" ? null : step, over);
}

/** The step on tensors, for the float64 kernels of `gradcheck`. */
function stepsOnTensors(layer: Layer, current: Tensor, step: Shape, from: readonly Tensor[] | null): Run {
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
  compile: (form, kinds, firing) => ({
    compiled: new CompiledNeuron(stepOf(form, kinds, firing)),
    scores: firing.inhibition && new CompiledNeuron(scoresOf(form, kinds, firing)),
  }),
  checkInitial(where, what, initial, kinds) {
    const name = `${where}: ${what}`;
    const get = (given: Named, key: string) => {
      if (key in kinds) return given[key];
      throw new TypeError(`${name}: expected a function of ${Object.keys(kinds).join(", ")}, got one of ${key}`);
    };
    // On tensors `beta * 2` would be NaN in silence.
    const step = (argument: unknown) => {
      const x = initial(new Proxy(argument as Named, { get: get as never }));
      if (typeof x === "number") numberOf(where, what, x, IN_FLOAT32);
      return { start: x instanceof Tensor ? 0 : (x as Value) };
    };
    new Program({ name, inputs: [], states: [], parameters: kinds, step });
  },
  run,
  print: ({ compiled, form }) => print(compiled.program.traced, SYMBOLS, form.initial),
};

useCompiler(compiler);
