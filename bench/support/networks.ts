/** Networks by their sizes, on spikes that are drawn anew in each turn: fully connected, recurrent, convolutional. */
import {
  Adam,
  Conv2d,
  crossEntropy,
  Flatten,
  full,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  manualSeed,
  noGrad,
  poissonEncode,
  RecurrentLIF,
  Sequential,
  type Tensor,
} from "jarvis-snn";
import { uniforms } from "./blocks.ts";
import type { Workload } from "./race.ts";
import { labels, leaky, type Step, trainingStep } from "./training.ts";

/** The sizes of a network and of its batches; bench/peers/shapes.py reads them as JSON. */
export interface Network {
  readonly name: string;
  readonly kind: "fc" | "recurrent" | "conv";
  readonly T: number;
  readonly batch: number;
  /** Percent of the inputs that spike in a step. */
  readonly percent: number;
  /** Of fc and recurrent: inputs and hidden neurons. Of conv: channels of the input and of both convolutions. */
  readonly widths: readonly number[];
  /** Of conv: pixels of a side, and of a side of the kernels. */
  readonly pixels: number;
  readonly kernel: number;
}

const CLASSES = 10;
const BETA = 0.95;

/** The most values of a layer over all steps of a batch: PyTorch keeps about eight times as many. */
const MOST = 2 ** 24;

/** The values of the largest layer over all steps of a batch. */
function valuesOf({ T, batch, kind, widths, pixels, kernel }: Network): number {
  if (kind !== "conv") return T * batch * Math.max(...widths);
  const [input = 0, first = 0] = widths;
  return T * batch * Math.max(input * pixels ** 2, first * (pixels - kernel + 1) ** 2);
}

/** Two networks of each kind that a seed draws. */
export function drawNetworks(seed: number): Network[] {
  const random = uniforms(seed);
  const number = (low: number, high: number): number => low + random() * (high - low);
  const integer = (low: number, high: number): number => Math.floor(number(low, high + 1));
  /** No multiple of 16, which loops over vectors have no rest of. */
  function width(low: number, high: number): number {
    const drawn = integer(low, high);
    return drawn % 16 === 0 ? width(low, high) : drawn;
  }
  function draw(kind: Network["kind"], i: number): Network {
    const drawn = {
      name: `seed${seed}-${kind}${i}`,
      kind,
      T: integer(10, 100),
      batch: integer(16, 256),
      percent: Number(number(2, 15).toPrecision(2)),
      widths: kind === "conv" ? [2, width(4, 40), width(4, 40)] : [width(64, 1200), width(64, 1200)],
      pixels: kind === "conv" ? integer(20, 40) : 0,
      kernel: kind === "conv" ? ([3, 5][integer(0, 1)] as number) : 0,
    };
    return valuesOf(drawn) > MOST ? draw(kind, i) : drawn;
  }
  for (let i = 0; i < 8; i++) random(); // The first numbers of neighbouring seeds are alike.
  return (["fc", "recurrent", "conv"] as const).flatMap((kind) => [draw(kind, 1), draw(kind, 2)]);
}

/** The sizes in words. */
export function describe({ name, kind, T, batch, percent, widths, pixels, kernel }: Network): string {
  const [input, first, second] = widths;
  const conv = `${input}×${pixels}×${pixels}-${first}C${kernel}-MP2-${second}C${kernel}-MP2-${CLASSES}`;
  return `${name}: ${kind === "conv" ? conv : `${widths.join("-")}-${CLASSES}`}, T ${T}, B ${batch}, ${percent} % input`;
}

/** A head with a membrane over time behind a body of layers. */
class Classifier extends Module {
  readonly body: Sequential;
  readonly head: Linear;
  readonly out = new LIF(leaky(BETA));

  constructor(body: Sequential, features: number) {
    super();
    this.body = body;
    this.head = new Linear(features, CLASSES);
  }

  /** The membrane of the output neurons, [T, B, K]. */
  forward(x: Tensor): Tensor {
    return this.out.unroll(this.head.forward(this.body.forward(x))).membrane;
  }
}

/** A drawn network. */
export function modelOf({ kind, widths, pixels, kernel }: Network): Classifier {
  const [input = 0, first = 0, second = 0] = widths;
  if (kind === "fc") return new Classifier(new Sequential(new Linear(input, first), new LIF(leaky(BETA))), first);
  if (kind === "recurrent") {
    return new Classifier(
      new Sequential(new Linear(input, first), new RecurrentLIF({ features: first, ...leaky(BETA) })),
      first,
    );
  }
  const behind = (side: number): number => Math.floor((side - kernel + 1) / 2);
  const body = new Sequential(
    ...[new Conv2d(input, first, kernel), new MaxPool2d(2), new LIF(leaky(BETA))],
    ...[new Conv2d(first, second, kernel), new MaxPool2d(2), new LIF(leaky(BETA))],
    new Flatten(2),
  );
  return new Classifier(body, second * behind(behind(pixels)) ** 2);
}

/** Training steps of the network. */
export function stepOf(network: Network): Step {
  const { kind, T, batch, percent, widths, pixels } = network;
  const [input = 0] = widths;
  manualSeed(0);
  const model = modelOf(network);
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const y = labels(batch, CLASSES);
  const rates = full(kind === "conv" ? [batch, input, pixels, pixels] : [batch, input], percent / 100);
  let spikes: Tensor | undefined;
  return {
    step: trainingStep(() => crossEntropy(model.forward(spikes as Tensor).mean({ axis: 0 }), y), optimizer),
    leaves: model.parameters(),
    prepare() {
      spikes?.dispose();
      spikes = noGrad(() => poissonEncode(rates, { timesteps: T }));
    },
  };
}

/** The same as a workload, made when its first turn is prepared. */
export function workloadOf(network: Network, rounds: number): Workload {
  let made: Step | undefined;
  return {
    step: () => (made as Step).step(),
    rounds,
    prepare() {
      made ??= stepOf(network);
      made.prepare?.();
    },
  };
}
