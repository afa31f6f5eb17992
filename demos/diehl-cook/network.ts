/** A network that learns digits without labels, after Diehl and Cook (2015). */
import {
  eye,
  full,
  Generator,
  Linear,
  type Module,
  neuron,
  noGrad,
  Plastic,
  PlasticLayer,
  plasticity,
  poissonEncode,
  Recurrent,
  rand,
  Stream,
  spikeCount,
  type Tensor,
} from "jarvis-snn";

export interface Settings {
  /** Pixels of an image. */
  pixels: number;
  neurons: number;
  /** Weights, order of the images, spikes of the pixels. */
  seed: number;
  /** Steps of 1 ms that an image is shown for. */
  timesteps: number;
  /** Rate of a white pixel in Hz. */
  rateHz: number;
  /** The rise of the inhibitory conductance of every other neuron at a spike, in multiples of the leak. */
  inhibition: number;
  /** η and x_tar of the rule. */
  eta: number;
  target: number;
  /** Σ_i w_ji of every neuron, behind each image. */
  weightSum: number;
  /** θ rises by thetaPlus at a spike, and behind each image its distance from thetaRest is multiplied by thetaDecay. */
  thetaPlus: number;
  thetaRest: number;
  thetaDecay: number;
  /** An image is shown so many times at most. */
  mostTimes: number;
}

export const DEFAULTS: Settings = {
  pixels: 28 * 28,
  neurons: 100,
  seed: 0,
  timesteps: 350,
  rateHz: 63.75,
  inhibition: 17,
  eta: 0.01,
  target: 0.2,
  weightSum: 78.4,
  thetaPlus: 0.05,
  thetaRest: 0,
  // While an image is shown (350 ms) and in the pause behind it (150 ms), with a time constant of 10⁷ ms.
  thetaDecay: 1 - 500 / 1e7,
  mostTimes: 20,
};

/** Fewer spikes than these, and the image is shown again with pixels brighter by half of `rateHz`. */
const LEAST_SPIKES = 5;
/** θ of every neuron before the first image. */
const THETA = 20;
/** Images that are shown at a time where nothing is learned. */
const BATCH = 20;

/**
 * LIF neuron with conductances and a threshold that rises with every spike. Time is in ms, in steps of 1 ms, potentials are in mV,
 * conductances are multiples of the leak.
 *
 *   gE ← gE·e^(−1) + relu(I)        gI ← gI·e^(−1/2) + relu(−I)
 *   v ← (v + κ·(rest + gE·reversalE + gI·reversalI)) / (1 + κ·(1 + gE + gI))        κ = 1/100, one implicit Euler step
 *   s = 1 if v ≥ θ − 72 else 0        θ ← θ + thetaPlus·s        v ← rest where s = 1
 */
export const DiehlCookNeuron = neuron({
  name: "DiehlCookNeuron",
  state: { gE: 0, gI: 0, theta: ({ theta0 }) => theta0, v: ({ rest }) => rest },
  parameters: {
    alphaE: 0.36787944,
    alphaI: 0.60653066,
    kappa: 0.01,
    rest: -65,
    reversalE: 0,
    reversalI: -100,
    offset: -72,
    theta0: THETA,
    thetaPlus: DEFAULTS.thetaPlus,
  },
  step({
    current,
    gE,
    gI,
    theta,
    v,
    alphaE,
    alphaI,
    kappa,
    rest,
    reversalE,
    reversalI,
    offset,
    thetaPlus,
    spike,
    where,
  }) {
    const e = gE.mul(alphaE).add(current.relu());
    const i = gI.mul(alphaI).add(current.neg().relu());
    const drive = rest.add(e.mul(reversalE)).add(i.mul(reversalI)).mul(kappa);
    const u = v.add(drive).div(e.add(i).add(1).mul(kappa).add(1));
    const s = spike(u.sub(theta).sub(offset));
    return {
      spikes: s,
      membrane: u,
      gE: e,
      gI: i,
      theta: theta.add(s.detach().mul(thetaPlus)),
      v: where(s.detach().gt(0), rest, u),
    };
  },
});

/**
 * At a spike behind, synapses whose neuron before has just spiked grow, and the others shrink:
 *
 *   Δw = η·(x − x_tar)·(w_max − w)        x = 1 at a spike before, then x ← x·exp(−1/20) in each step
 */
export const DiehlCookRule = plasticity({
  name: "DiehlCookRule",
  traces: { x: { of: "pre", tau: "tau", set: true } },
  parameters: { eta: 0.01, target: 0.2, tau: 20 },
  onPost: ({ w, x, eta, target, high }) => x.sub(target).mul(eta).mul(high.sub(w)),
});

type Cells = InstanceType<typeof DiehlCookNeuron>;

const cellsOf = (options: { theta0: Tensor; thetaPlus?: number }): Cells =>
  new DiehlCookNeuron({ ...options, refractorySteps: 5 });

/** Neurons of which each inhibits all others in the step after its spike. */
function rivals(cells: Cells, { neurons, inhibition }: Settings) {
  const layer = new Recurrent(cells, { features: neurons, bias: false });
  inhibit(layer, neurons, inhibition);
  return layer;
}

function inhibit({ recurrent }: { readonly recurrent: Module | null }, neurons: number, inhibition: number): void {
  noGrad(() => (recurrent as Linear).weight.copyFrom(eye(neurons).sub(1).mul(inhibition)));
}

export class DigitNetwork {
  readonly settings: Settings;
  /** Receptive fields, [N, P]. */
  readonly connection: Linear;
  /** θ of every neuron, [N]. */
  readonly theta: Tensor;
  /** Times that images were shown. */
  shown = 0;
  private readonly plastic: Plastic;
  private readonly cells: Cells;
  private readonly layer: ReturnType<typeof rivals>;
  private readonly stream: Stream;
  private readonly generator: Generator;
  /** Spikes of the pixels while an image is shown, [T, P]. */
  private readonly pixels: Float32Array;
  private readonly step: readonly Float32Array[];

  constructor(settings: Partial<Settings> = {}) {
    this.settings = { ...DEFAULTS, ...settings };
    const { pixels, neurons, seed, timesteps, eta, target, weightSum: sum, thetaPlus } = this.settings;
    this.generator = new Generator(seed);
    this.connection = new Linear(pixels, neurons, { bias: false, generator: this.generator });
    noGrad(() => this.connection.weight.copyFrom(rand([neurons, pixels], { generator: this.generator }).mul(0.3)));
    this.plastic = new Plastic(this.connection, new DiehlCookRule({ eta, target }), {
      bounds: [0, 1],
      normalize: { sum, every: Infinity },
    });
    this.plastic.normalize();
    this.theta = full([neurons], THETA);
    this.cells = cellsOf({ theta0: this.theta, thetaPlus });
    this.layer = rivals(this.cells, this.settings);
    this.stream = new Stream(new PlasticLayer(this.plastic, this.layer), [1, pixels]);
    this.pixels = new Float32Array(timesteps * pixels);
    this.step = Array.from({ length: timesteps }, (_, t) => this.pixels.subarray(t * pixels, (t + 1) * pixels));
  }

  /** Another inhibition, from the next image on. */
  inhibit(inhibition: number): void {
    this.settings.inhibition = inhibition;
    inhibit(this.layer, this.settings.neurons, inhibition);
  }

  /**
   * Shows an image, [1, P] in [0, 1], and learns from it. Returns the spikes of every neuron; `raster` becomes the times and neurons of the
   * spikes, one pair after the other.
   */
  learn(image: Tensor, raster?: number[]): Float32Array {
    for (let times = 1; ; times++) {
      const counts = this.show(image, (1 + times) / 2, raster);
      this.adapt(counts);
      if (sumOf(counts) >= LEAST_SPIKES || times === this.settings.mostTimes) return counts;
    }
  }

  private show(image: Tensor, brightness: number, raster?: number[]): Float32Array {
    const { neurons, timesteps } = this.settings;
    noGrad(() => this.pixels.set(this.encode(image, brightness).data));
    this.stream.reset();
    this.shown++;
    const counts = new Float32Array(neurons);
    raster?.splice(0);
    for (let t = 0; t < timesteps; t++) {
      const spikes = this.stream.step(this.step[t] as Float32Array);
      for (let j = 0; j < neurons; j++) {
        if (spikes[j] === 0) continue;
        (counts[j] as number)++;
        raster?.push(t, j);
      }
    }
    this.plastic.normalize();
    return counts;
  }

  /** θ as the spikes of an image leave it. */
  private adapt(counts: Float32Array): void {
    const { thetaPlus, thetaRest, thetaDecay } = this.settings;
    const theta = this.theta
      .toFloat32Array()
      .map((x, j) => thetaRest + (x - thetaRest + thetaPlus * (counts[j] as number)) * thetaDecay);
    this.theta.copyFrom(theta);
    this.cells.theta0.copyFrom(theta);
  }

  /** Spikes of the pixels, [T, B, P]: a Poisson process each. */
  private encode(images: Tensor, brightness: number): Tensor {
    const { timesteps, rateHz } = this.settings;
    return poissonEncode(images.mul((brightness * rateHz) / 1000), { timesteps, generator: this.generator });
  }

  /** The spikes of every neuron for images [B, P], row by row, by a network that learns nothing. */
  respond(images: Tensor): Float32Array {
    const { neurons, mostTimes } = this.settings;
    const all = new Float32Array((images.shape[0] as number) * neurons);
    const layer = rivals(cellsOf({ theta0: this.theta, thetaPlus: 0 }), this.settings);
    let rest = Array.from({ length: images.shape[0] as number }, (_, b) => b);
    for (let times = 1; times <= mostTimes && rest.length > 0; times++) {
      const silent: number[] = [];
      for (let from = 0; from < rest.length; from += BATCH) {
        const chosen = rest.slice(from, from + BATCH);
        const counts = noGrad(() => {
          const spikes = this.encode(images.indexSelect(0, chosen), (1 + times) / 2);
          return spikeCount(layer.forward(this.connection.forward(spikes))).toFloat32Array();
        });
        for (const [i, b] of chosen.entries()) {
          const own = counts.subarray(i * neurons, (i + 1) * neurons);
          all.set(own, b * neurons);
          if (sumOf(own) < LEAST_SPIKES) silent.push(b);
        }
      }
      rest = silent;
    }
    return all;
  }
}

export const sumOf = (values: Float32Array): number => values.reduce((sum, x) => sum + x, 0);
