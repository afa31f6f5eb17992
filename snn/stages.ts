/** The layers of a stream: each with memory of its own, and the kernels that it calls in a step. */
import {
  allocateIn,
  formatShape,
  k,
  persist,
  RepeatedLinear,
  ready,
  root,
  type Shape,
  streamBytes,
  touch,
} from "../engine/extend.ts";
import { Linear, type Module, noGrad, type Tensor, zeros } from "../engine/index.ts";
import { checkPerNeuron } from "./decay.ts";
import { LeakyIntegrator } from "./leaky-integrator.ts";
import { LIF, type LIFState } from "./lif.ts";
import { type Neuron, resetState, runStep } from "./lif-op.ts";
import { RecurrentLIF } from "./recurrent-lif.ts";

/** A layer with memory of its own, and what it does in a step. */
export abstract class Stage {
  /** What the next stage reads. Spikes are there as numbers, those of plain neurons as bits too. */
  readonly output: Tensor;
  /** What stays from one step to the next. */
  readonly state: readonly Tensor[];
  /** All that is its own. */
  readonly memory: readonly Tensor[];

  constructor(output: Tensor, state: readonly Tensor[] = [], other: readonly Tensor[] = []) {
    this.output = output;
    this.state = state;
    this.memory = [output, ...state, ...other];
  }

  abstract step(): void;

  reset(): void {
    for (const t of this.state) {
      k.fill(t.ptr, t.size, 0);
      if (t.bits !== 0) k.fill(t.bits, streamBytes(t.size) / 4, 0);
      touch(t);
    }
  }
}

/** Memory that stays, zeros. */
export const own = (shape: Shape): Tensor => persist(zeros(shape));

/** The same for spikes, as numbers and bits. */
function ownSpikes(shape: Shape): Tensor {
  const t = own(shape);
  t.bits = allocateIn(root.region, streamBytes(t.size));
  k.fill(t.bits, streamBytes(t.size) / 4, 0);
  return t;
}

/** A module without neurons: its `forward` on a sequence of one step. */
class Stateless extends Stage {
  private readonly module: Module;
  private readonly input: Tensor;

  constructor(module: Module, input: Tensor) {
    const [, ...shape] = noGrad(() => module.forward(input.unsqueeze(0)).shape);
    super(own(shape));
    this.module = module;
    this.input = input;
  }

  step(): void {
    noGrad(() => void this.output.copyFrom(this.module.forward(this.input.unsqueeze(0))));
  }
}

class Product extends Stage {
  private readonly product: RepeatedLinear;

  constructor({ weight, bias, inFeatures, outFeatures }: Linear, input: Tensor) {
    checkFeatures("Linear", inFeatures, input);
    super(own([...input.shape.slice(0, -1), outFeatures]));
    this.product = new RepeatedLinear(this.output, input, weight, bias);
  }

  step(): void {
    this.product.run();
  }
}

/** β as kernels take it: one that is learned is clamped into a place of its own. */
class Decay {
  readonly clamped: readonly Tensor[];
  private readonly beta: Tensor;

  constructor(beta: Tensor) {
    this.beta = beta;
    this.clamped = beta.isParameter ? [own(beta.shape)] : [];
  }

  read(): number {
    const { beta } = this;
    const clamped = this.clamped[0];
    ready("Stream", beta);
    if (clamped === undefined) return beta.ptr;
    k.clamp(clamped.ptr, beta.ptr, beta.size, 0, 1);
    return clamped.ptr;
  }
}

/** v, which is the output too. */
class Integrator extends Stage {
  private readonly decay: Decay;
  private readonly input: Tensor;
  private readonly n: number;
  private readonly stepBeta: number;

  constructor({ beta }: LeakyIntegrator, input: Tensor) {
    checkPerNeuron("LeakyIntegrator", "beta", beta, [1, ...input.shape]);
    const decay = new Decay(beta);
    const v = own(input.shape);
    super(v, [v], decay.clamped);
    this.decay = decay;
    this.input = input;
    this.stepBeta = beta.size === 1 ? 0 : 1;
    this.n = beta.size === 1 ? input.size : beta.size;
  }

  step(): void {
    const { input, output, n, stepBeta } = this;
    k.leakyForward(output.ptr, input.ptr, output.ptr, this.decay.read(), 1, input.size / n, n, 0, stepBeta);
  }
}

/** Neurons that one of the two kernels computes. */
class Neurons extends Stage {
  /** u of a plain neuron, whose reset is still to come, else v. */
  private readonly membrane: Tensor;
  private readonly refractory: Tensor | null;
  private readonly decay: Decay;
  private readonly threshold: Tensor;
  private readonly neuron: Neuron;
  private readonly input: Tensor;
  private readonly betas: number;
  private resumed = 0;

  constructor({ neuron, isPlain, beta, threshold }: LIF, input: Tensor) {
    checkPerNeuron("LIF", "beta", beta, [1, ...input.shape]);
    checkPerNeuron("LIF", "threshold", threshold, [1, ...input.shape]);
    const decay = new Decay(beta);
    const membrane = own(input.shape);
    const refractory = isPlain ? null : own(input.shape);
    const state = refractory === null ? [membrane] : [membrane, refractory];
    super(isPlain ? ownSpikes(input.shape) : own(input.shape), state, decay.clamped);
    this.membrane = membrane;
    this.refractory = refractory;
    this.decay = decay;
    this.threshold = threshold;
    this.neuron = neuron;
    this.input = input;
    this.betas = beta.size;
  }

  step(): void {
    const { output, membrane, refractory, threshold, neuron, input, betas } = this;
    const u = membrane.ptr;
    const beta = this.decay.read();
    ready("Stream", threshold);
    if (refractory === null) {
      runStep(neuron, u, output.bits, input, u, beta, betas, threshold, this.resumed);
      k.unpackBits(output.ptr, output.bits, output.size);
      this.resumed = 1;
      return;
    }
    const { reset, delayed, strict, resetValue, rest, inputScale, hold } = neuron;
    const held = refractory.ptr;
    const stepBeta = betas === 1 ? 0 : 1;
    const stepThreshold = threshold.size === 1 ? 0 : 1;
    const n = stepBeta + stepThreshold > 0 ? Math.max(betas, threshold.size) : input.size;
    const rows = input.size / n;
    k.lifForwardAny(
      u,
      output.ptr,
      held,
      input.ptr,
      u,
      held,
      beta,
      threshold.ptr,
      1,
      rows,
      n,
      0,
      stepBeta,
      stepThreshold,
      reset,
      delayed,
      strict,
      resetValue,
      rest,
      inputScale,
      hold,
    );
    if (delayed === 0) resetState(neuron, u, output, threshold);
  }

  override reset(): void {
    super.reset();
    this.resumed = 0;
  }
}

/** Neurons that are not spiking, which no kernel computes. */
class Smooth extends Stage {
  private readonly lif: LIF;
  private readonly input: Tensor;
  private readonly last: Record<string, Tensor>;

  constructor(lif: LIF, input: Tensor) {
    const names = Object.keys(noGrad(() => lif.initialState(input.shape)));
    const last = Object.fromEntries(names.map((name) => [name, own(input.shape)]));
    super(own(input.shape), Object.values(last));
    this.lif = lif;
    this.input = input;
    this.last = last;
  }

  step(): void {
    noGrad(() => {
      const [output, next] = this.lif.step(this.input, this.last as unknown as LIFState);
      this.output.copyFrom(output);
      for (const [name, t] of Object.entries(next)) this.last[name]?.copyFrom(t);
    });
  }
}

/** Neurons whose spikes of the step before are added to their input. */
class Recurrence extends Stage {
  private readonly neurons: Neurons;
  private readonly input: Tensor;
  private readonly current: Tensor;
  private readonly feedback: RepeatedLinear | null;
  private readonly V: Tensor | null;

  constructor(lif: RecurrentLIF, input: Tensor) {
    checkFeatures("RecurrentLIF", lif.features, input);
    const current = own(input.shape);
    const neurons = new Neurons(lif, current);
    const { output } = neurons;
    super(output, [output, ...neurons.state], [current, ...neurons.memory]);
    const { recurrent, V } = lif;
    this.neurons = neurons;
    this.input = input;
    this.current = current;
    this.feedback = recurrent && new RepeatedLinear(current, output, recurrent.weight, recurrent.bias);
    this.V = V;
  }

  step(): void {
    const { neurons, input, current, feedback, V, output } = this;
    if (feedback !== null) {
      feedback.run();
      k.addTo(current.ptr, input.ptr, input.size);
    } else {
      const v = V as Tensor;
      ready("Stream", v);
      k.leakyForward(current.ptr, input.ptr, output.ptr, v.ptr, 1, input.size / v.size, v.size, 0, 1);
    }
    neurons.step();
  }

  override reset(): void {
    super.reset();
    this.neurons.reset();
  }
}

function checkFeatures(layer: string, features: number, { shape }: Tensor): void {
  if (shape[shape.length - 1] === features) return;
  throw new RangeError(`Stream: expected [B, …, ${features}] for ${layer}, got ${formatShape(shape)}`);
}

/** What a stream does for a layer that reads `input`. */
export function stageOf(layer: Module, input: Tensor): Stage {
  if (layer instanceof Linear) return new Product(layer, input);
  if (layer instanceof LIF && !layer.spiking) return new Smooth(layer, input);
  if (layer instanceof RecurrentLIF) return new Recurrence(layer, input);
  if (layer instanceof LIF) return new Neurons(layer, input);
  if (layer instanceof LeakyIntegrator) return new Integrator(layer, input);
  for (const [name, module] of layer.namedModules()) {
    if (module instanceof LIF || module instanceof LeakyIntegrator) {
      throw new RangeError(
        `Stream: expected a list of layers: ${layer.constructor.name} has a state in ${name}, and only its forward knows the order`,
      );
    }
  }
  return new Stateless(layer, input);
}
