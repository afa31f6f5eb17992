/** The layers of a stream: each has its own memory and the kernels that it calls in a step. */

import { listed, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, type Op } from "../../engine/extend.ts";
import { Linear, type Module, noGrad, Tensor } from "../../engine/index.ts";
import { addBits, dropFloats, dropRecord, recordOutside, recycleSaved, root, scope } from "../../engine/lasting.ts";
import { isWeighted, locate, traitOf, type Weighted, weightOf } from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { keptOf } from "../layer/kept.ts";
import { own, Stage, Staged, stateOf, Watch } from "../layer/stage.ts";
import type { Stepping } from "../layer/stepping.ts";
import { isStepping, isStepStale, saysOfNoMethod, saysStateless, steppingIn } from "../layer/stepping.ts";
import { isCompiled } from "../neuron/neuron.ts";
import { stageOfNeurons } from "./neurons.ts";

/** The shape of one step of an output z for a sequence of one step. */
function shapeOfStep({ constructor: { name } }: Module, z: Tensor): Shape {
  const [steps, ...shape] = z.sizes;
  if (steps === 1) return shape;
  throw new RangeError(`Stream: expected ${name} to give [1, B, …] for one step, got ${formatShape(z.sizes)}`);
}

/** The output of a module in evaluation mode for a sequence of one step. */
function ofOneStep(module: Module, input: Tensor): Tensor {
  const z = module.evaluating(() => module.forward(input.unsqueeze(0)));
  if (!(z instanceof Tensor)) throw wrongType("Stream", `a tensor from the forward of ${module.constructor.name}`, z);
  alive(z, "Stream");
  return z;
}

/** Runs fn, recording all ops on these tensors, and returns its result. */
function recording<R>(leaves: readonly Tensor[], fn: () => R): R {
  const frozen = leaves.filter((t) => !t.requiresGrad);
  for (const t of frozen) t.requiresGrad = true;
  try {
    return fn();
  } finally {
    for (const t of frozen) t.requiresGrad = false;
  }
}

/** An op on persistent tensors. */
interface Call {
  readonly op: Op<never>;
  readonly attrs: never;
  readonly z: Tensor;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly c: Tensor;
}

/** A copy of a weight that a layer reads through a parametrization, recomputed after writes. */
class ReadWeight extends Watch {
  readonly value: Tensor;
  private readonly layer: Weighted;

  constructor(layer: Weighted) {
    const value = own(layer.weight.sizes);
    super(stateOf(layer), () => void value.copyFrom(weightOf(layer)));
    this.value = value;
    this.layer = layer;
  }

  /** Runs fn, in which the layer reads this copy, and returns its result. */
  during<R>(fn: () => R): R {
    const { layer, value } = this;
    const { reading } = layer;
    layer.reading = () => value;
    try {
      return fn();
    } finally {
      layer.reading = reading;
    }
  }
}

/** A module whose `forward` always runs the same ops in evaluation: the ops are recorded once and run in each step. */
export function pureStage(module: Module, input: Tensor): Stage {
  const parameters = stateOf(module);
  const weight = isWeighted(module) && module.reading !== null ? new ReadWeight(module) : null;
  const made = weight === null ? [] : [weight.value];
  const { result: output, records: all } = recordOutside(() => {
    const run = () => ofOneStep(module, input);
    const z = recording([input, ...parameters, ...made], weight === null ? run : () => weight.during(run));
    return z.reshape(shapeOfStep(module, z));
  });
  const records = all as Tensor[];
  // Neurons output their spikes as floats and as bits. Views pass the bits on to a Linear, which finds spikes faster in bits than in
  // floats.
  for (const t of module instanceof Linear ? records : [output]) if (t.ptr === input.ptr) addBits(t, input);
  const recorded = records.map((z) => ({ op: z.op, attrs: z.attrs, z, a: z.a, b: z.b, c: z.c }) as Call);
  for (const t of [...records, output]) {
    recycleSaved(t, root.region);
    dropRecord(t, "none");
    t.requiresGrad = false;
  }
  const kept = module.namedModules().map(([, layer]) => keptOf(layer));
  // Reshaping needs no kernel.
  const calls = recorded.filter(({ op }) => op.forward !== undefined);
  return new Stage(output, { memory: [...records, ...made], kept }, () => {
    weight?.refresh();
    for (let i = 0; i < calls.length; i++) {
      const { op, attrs, z, a, b, c } = calls[i] as Call;
      // Without floats, `forward` reads the bits of the input. If it needs floats, it gets those that the previous stage wrote.
      dropFloats(a);
      op.forward(z, a, b, c, attrs);
      recycleSaved(z, scope.region);
    }
  });
}

/** A module without a state: its `forward` on a sequence of one step, in evaluation mode. */
function statelessStage(module: Module, input: Tensor): Stage {
  const output = own(noGrad(() => shapeOfStep(module, ofOneStep(module, input))));
  const forward = () => void output.copyFrom(ofOneStep(module, input));
  return new Stage(output, { parameters: stateOf(module), runsModule: true }, () => noGrad(forward));
}

/** A state between time steps: a tensor, or more of them in lists and objects. */
type State = Tensor | { readonly [name: string]: State };

/**
 * The tensors of a state, in the order of the names in `form`.
 *
 * @throws TypeError for anything but tensors in lists and objects; RangeError if the names differ from those in `form`.
 */
function tensorsOf(state: State, form: State = state): Tensor[] {
  if (state instanceof Tensor && form instanceof Tensor) return [state];
  if (typeof state !== "object" || state === null || form instanceof Tensor) {
    throw wrongType("Stream", "a state of tensors", state);
  }
  const [names, given] = [Object.keys(form), Object.keys(state)];
  if (given.length !== names.length || names.some((name) => !(name in state))) {
    throw wrongValue("Stream", `a state of ${listed(names)}`, listed(given));
  }
  return names.flatMap((name) => tensorsOf((state as Exclude<State, Tensor>)[name] as State, form[name]));
}

/** A state of the same form with the tensors passed through fn. */
function mapped(state: State, fn: (t: Tensor) => Tensor): State {
  if (state instanceof Tensor) return fn(state);
  if (Array.isArray(state)) return state.map((part: State) => mapped(part, fn)) as unknown as State;
  return Object.fromEntries(Object.entries(state).map(([name, part]) => [name, mapped(part, fn)]));
}

/** Throws unless a tensor returned by a step has the size of its target. */
function checkSizes({ constructor: { name } }: Module, kind: string, t: Tensor, place: Tensor): void {
  if (t.size === place.size) return;
  const [expected, got] = [formatShape(place.sizes), formatShape(t.sizes)];
  throw new RangeError(`Stream: expected ${name} to give ${kind} of shape ${expected} in each step, got ${got}`);
}

/** A layer that runs by its `step(x, state)`. */
function steppingStage(layer: Stepping, input: Tensor): Stage {
  if (isStepStale(layer)) {
    const got = `${layer.constructor.name} with another forward and the step of its base class`;
    throw new RangeError(
      `Stream: expected a step(x, state) that goes with forward, got ${got}; give it a step of its own`,
    );
  }
  const { last, output } = noGrad(() => {
    const start = layer.initialState(input.sizes) as State;
    tensorsOf(start);
    const last = mapped(start, (t) => own(t.sizes).copyFrom(t));
    // A trial step checks that everything fits.
    const [z] = layer.evaluating(() => layer.step(input, start as never));
    alive(z, "Stream");
    return { last, output: own(z.sizes) };
  });
  const places = tensorsOf(last);
  /** Checks a state, and returns its tensors. */
  const valuesOf = (state: unknown): Tensor[] => {
    const values = tensorsOf(state as State, last);
    values.forEach((t, i) => checkSizes(layer, "a state", t, places[i] as Tensor));
    return values;
  };
  const write = (values: readonly Tensor[]): void => {
    for (const [i, t] of places.entries()) t.copyFrom(values[i] as Tensor);
  };
  const start = (): void => noGrad(() => write(valuesOf(layer.initialState(input.sizes))));
  const step = (): void => {
    const [z, next] = layer.evaluating(() => layer.step(input, last as never));
    // Checks and reads all values before it writes any. So an error leaves the state unchanged, and values may be
    // views of the targets.
    alive(z, "Stream");
    checkSizes(layer, "an output", z, output);
    const copies = valuesOf(next).map((t) => t.clone());
    output.copyFrom(z);
    write(copies);
  };
  const holding = { state: places, parameters: stateOf(layer), runsModule: true, start };
  return new Stage(output, holding, () => noGrad(step));
}

/**
 * Throws unless each step of a layer's `forward` is independent of the others, as its class declares, or as is known for layers of the
 * package. A stream runs one step at a time, so a state inside `forward` would silently be lost.
 */
function checkDeclared(layer: Module): void {
  const { name } = layer.constructor;
  const [path] = steppingIn(layer) ?? [];
  if (path !== undefined) {
    throw new RangeError(
      `Stream: expected a list of layers: ${name} has a state in ${path} that its forward keeps; or give ${name} ${PROTOCOL}`,
    );
  }
  if (saysStateless(layer)) return;
  if (saysOfNoMethod(layer)) {
    throw new RangeError(
      `Stream: expected forward as a method of ${name}, for which static stateless = true counts, got a property of the instance; ` +
        "make it a method",
    );
  }
  if (!layer.isPure && traitOf(layer) !== "stepwise") {
    throw new RangeError(
      `Stream: expected modules whose state is known, got ${name}, whose forward may keep one; give ${name} ${PROTOCOL}, or ` +
        "static stateless = true if forward computes each step by itself",
    );
  }
  if (!layer.mixesSteps?.()) return;
  throw new RangeError(`Stream: expected ${name} with running statistics, got one that takes those of all steps`);
}

const PROTOCOL = "step(x, state) and initialState(shape)";

/** The stage of a layer that reads `input`. */
export function stageOf(layer: Module, input: Tensor): Stage {
  if (isCompiled(layer)) return stageOfNeurons(layer, input);
  const compiled = layer instanceof Staged ? layer.stage(input) : null;
  if (compiled !== null) return compiled;
  if (isStepping(layer)) return steppingStage(layer, input);
  checkDeclared(layer);
  // A layer that remains in training mode may draw random numbers in each step.
  const isReplayed = layer.isPure && layer.evaluating(() => !layer.training);
  return isReplayed ? pureStage(layer, input) : statelessStage(layer, input);
}

/** A sequence of layers, with their paths, as one stage. */
function chainOf(stages: readonly Stage[], layers: readonly Module[], paths: readonly string[], input: Tensor): Stage {
  const memory = stages.flatMap((stage) => stage.memory);
  const output = stages[stages.length - 1]?.output ?? input;
  const runsModule = stages.some((stage) => stage.runsModule);
  const held = runsModule ? [input, output, ...memory] : [];
  const check = (): void => {
    // A module may have freed memory in the previous step.
    for (let i = 0; i < held.length; i++) alive(held[i] as Tensor, "Stream");
    for (let i = 0; i < stages.length; i++) (stages[i] as Stage).check();
  };
  /**
   * Throws if the module of stage i, which may run any code, has freed its input, its own memory, or memory of the
   * stages up to the next module. That module has a separate check.
   */
  const checkAfter = (i: number): void => {
    if (i === 0) alive(input, "Stream");
    for (let j = Math.max(0, i - 1); j < stages.length; j++) {
      const stage = stages[j] as Stage;
      for (const t of stage.memory) alive(t, "Stream");
      stage.check();
      if (j > i && stage.runsModule) return;
    }
  };
  const start = (): void => {
    for (const stage of stages) stage.reset();
  };
  return new Stage(output, { memory, runsModule, check, start }, () => {
    let i = 0;
    try {
      for (; i < stages.length; i++) {
        const stage = stages[i] as Stage;
        stage.step();
        if (stage.runsModule) checkAfter(i);
      }
    } catch (error) {
      throw locate(error, paths[i] as string, layers[i] as Module);
    }
  });
}

/** The stages of layers at these paths: the first reads `input`, each other one the output of its predecessor. */
export function stageOfAll(layers: readonly Module[], input: Tensor, paths = layers.map((_, i) => `${i}`)): Stage {
  let output = input;
  const stages = layers.map((layer, i) => {
    try {
      const stage = stageOf(layer, output);
      output = stage.output;
      return stage;
    } catch (error) {
      throw locate(error, paths[i] as string, layer);
    }
  });
  return chainOf(stages, layers, paths, input);
}
