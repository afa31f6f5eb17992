import {
  constantEncode,
  crossEntropy,
  LIF,
  Linear,
  Module,
  poissonEncode,
  surrogate,
  type Tensor,
  ttfsEncode,
} from "jarvis-snn";

export type Encoding = "current" | "poisson" | "ttfs";

const CLASSES = 10;

/** A fully connected spiking classifier after snnTorch's tutorial 5: Linear and LIF in turns, the last LIF read out. */
export class MnistNetwork extends Module {
  readonly linears: Linear[];
  readonly neurons: LIF[];

  constructor(inputs: number, hidden: number, layers: number, spike = surrogate.atan({ alpha: 2 })) {
    super();
    const sizes = [inputs, ...Array.from({ length: layers }, () => hidden), CLASSES];
    this.linears = sizes.slice(1).map((size, i) => new Linear(sizes[i] as number, size));
    this.neurons = this.linears.map(
      () =>
        new LIF({
          beta: 0.95,
          threshold: 1,
          reset: "subtract",
          resetDelay: true,
          fire: "gt",
          surrogate: spike,
        }),
    );
  }

  /** The membrane of the output neurons, [T, B, K]. */
  forward(x: Tensor): Tensor {
    return this.unroll(x).membrane;
  }

  unroll(x: Tensor): ReturnType<LIF["unroll"]> {
    const last = this.linears.length - 1;
    let spikes = x;
    for (let i = 0; i < last; i++) {
      spikes = (this.neurons[i] as LIF).forward((this.linears[i] as Linear).forward(spikes));
    }
    return (this.neurons[last] as LIF).unroll((this.linears[last] as Linear).forward(spikes));
  }
}

/** Σ_t of the mean cross-entropy of the membrane at t. */
export function membraneLoss(membrane: Tensor, y: ArrayLike<number>): Tensor {
  const timesteps = membrane.shape[0] as number;
  const labels = new Int32Array(timesteps * y.length);
  for (let t = 0; t < timesteps; t++) labels.set(y, t * y.length);
  return crossEntropy(membrane, labels, { reduction: "sum" }).mul(1 / y.length);
}

export function encoder(code: Encoding, timesteps: number): (x: Tensor) => Tensor {
  if (code === "poisson") return (x) => poissonEncode(x, { timesteps });
  if (code === "ttfs") return (x) => ttfsEncode(x, { timesteps });
  return (x) => constantEncode(x, { timesteps });
}
