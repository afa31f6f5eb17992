/** Networks with weights of eight bits, for inference. */
import { ensure, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { Conv1d, Conv2d, Linear, Module, noGrad, type StateDict, type StateEntry, type Tensor } from "../../engine/index.ts";
import { forwardOf } from "../../engine/nn/module.ts";
import { weightOf } from "../../engine/nn/reading.ts";
import { formatShape, sizeOf } from "../../engine/shape.ts";
import { layersOf } from "../layers.ts";
import { Stage, Staged } from "../stage.ts";
import { stageOf } from "../stages.ts";
import { Int8Conv, Int8Linear, type Int8State } from "./int8-layers.ts";
import { MOST_INPUTS } from "./int8-weights.ts";

/** Options of {@link Int8}. */
export interface Int8Options {
  /** Each output has a scale of its own (default), or false: all outputs of a layer share one. */
  perChannel?: boolean;
}

const DEFAULTS: Required<Int8Options> = { perChannel: true };

type Weighted = Linear | Conv1d | Conv2d;

const isWeighted = (layer: Module): layer is Weighted =>
  (layer instanceof Linear || layer instanceof Conv1d || layer instanceof Conv2d) && layer.isPure;

type Int8Layer = Int8Linear | Int8Conv;

export class Int8 extends Staged {
  /** The layers in their order. */
  readonly layers: readonly Module[];
  /** Modules that may have been left in training mode. */
  private readonly others: readonly Module[];

  constructor(model: Module | readonly Module[], options: Int8Options = DEFAULTS) {
    super();
    const { perChannel } = withDefaults("Int8", DEFAULTS, options);
    const layers = layersOf("Int8", model);
    if (!layers.some(isWeighted)) {
      const names = layers.map(({ constructor: { name } }) => name).join(", ");
      const hint = "; give the layers of a network of another class as a list";
      throw new RangeError(`Int8: expected a Linear or a convolution among the layers, got ${names || "none"}${hint}`);
    }
    const states = noGrad(() => layers.map((layer) => (isWeighted(layer) ? roundedOf(layer, perChannel) : null)));
    this.layers = layers.map((layer, i) => {
      const state = states[i] as Int8State | null;
      if (state === null) return layer;
      return layer instanceof Linear ? new Int8Linear(layer, state) : new Int8Conv(layer as Conv2d, state);
    });
    this.others = this.layers.flatMap((layer) => layer.namedModules().map(([, module]) => module));
  }

  forward(x: Tensor): Tensor {
    const modes = this.others.map(({ training }) => training);
    try {
      for (const module of this.others) module.training = false;
      return noGrad(() => this.layers.reduce((z, layer) => layer.forward(z), x));
    } finally {
      for (const [i, module] of this.others.entries()) module.training = modes[i] as boolean;
    }
  }

  /** @internal */
  stage(input: Tensor): Stage | null {
    if (this.forward !== FORWARD) return null;
    const stages: Stage[] = [];
    let output = input;
    for (const layer of this.layers) {
      const stage = stageOf(layer, output);
      stages.push(stage);
      output = stage.output;
    }
    return new StageOfAll(stages);
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(Int8);

/** Layers one after the other in a stream. */
class StageOfAll extends Stage {
  private readonly stages: readonly Stage[];

  constructor(stages: readonly Stage[]) {
    super((stages[stages.length - 1] as Stage).output, { memory: stages.flatMap(({ memory }) => memory) });
    this.stages = stages;
  }

  override check(): void {
    for (let i = 0; i < this.stages.length; i++) (this.stages[i] as Stage).check();
  }

  step(): void {
    for (let i = 0; i < this.stages.length; i++) (this.stages[i] as Stage).step();
  }

  override reset(): void {
    for (const stage of this.stages) stage.reset();
  }
}

/** The weight that a layer computes with, as integers from −127 to 127. */
function roundedOf(layer: Weighted, perChannel: boolean): Int8State {
  const weight = weightOf(layer);
  const shape = weight.sizes;
  const rows = weight.reshape([shape[0] as number, -1]);
  if (sizeOf(shape) > 0 && rows.sizes[1] as number > MOST_INPUTS) throw wrongValue("Int8", "at most 2²⁴ inputs of an output", rows.sizes[1] as number);
  ensure(weight.toFloat32Array().every(Number.isFinite), "Int8", "expected finite weights", Number.NaN);
  const size = rows.abs().amax(perChannel ? { axis: 1, keepdim: true } : { keepdim: true });
  const step = size.div(127);
  // The rows of zeros.
  const steps = step.add(step.eq(0));
  const q = rows.div(steps).round().clamp(-127, 127);
  return {
    shape,
    q: Int8Array.from(q.toFloat32Array()),
    scales: steps.toFloat32Array(),
    bias: layer.bias === null ? null : layer.bias.toFloat32Array(),
  };
}
