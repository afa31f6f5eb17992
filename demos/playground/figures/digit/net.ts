/** The network of the figure: pixels that fire once, the brighter the earlier, hidden neurons, and an integrator for each digit. */
import {
  LeakyIntegrator,
  LIF,
  Linear,
  lastMembrane,
  Module,
  noGrad,
  type Tensor,
  tensor,
  ttfsEncode,
} from "jarvis-snn";
import { decidedAt, leaderOf } from "../../model/decision.ts";
import { type Image, PIXELS, type Strokes } from "../../model/image.ts";
import { digitsOf } from "./doubt.ts";
import { seen } from "./ink.ts";

export const TIMESTEPS = 16;
export const HIDDEN = 96;
export const DIGITS = 10;

/** Levels up to eps do not fire: the last pixels fire some steps before the end, and are heard. */
const CODE = { timesteps: TIMESTEPS, eps: 0.3 };
const BETA = 0.97;

/** A network without biases: where nothing is drawn, nothing fires. */
export class DigitNetwork extends Module {
  readonly hidden = new Linear(PIXELS, HIDDEN, { bias: false });
  readonly neurons = new LIF({ beta: BETA, threshold: 0.4, reset: "subtract" });
  readonly head = new Linear(HIDDEN, DIGITS, { bias: false });
  readonly readout = new LeakyIntegrator({ beta: 0.95 });

  /** The membranes of the digits [T, B, 10] for pictures [B, 196]. */
  forward(x: Tensor): Tensor {
    return this.unroll(x).membranes;
  }

  unroll(x: Tensor): { pixels: Tensor; spikes: Tensor; membranes: Tensor } {
    const pixels = ttfsEncode(x, CODE);
    const spikes = this.neurons.forward(this.hidden.forward(pixels));
    return { pixels, spikes, membranes: this.readout.forward(this.head.forward(spikes)) };
  }
}

/** Pictures as a tensor [B, 196]. */
export function batchOf(pictures: readonly Image[]): Tensor {
  const values = new Float32Array(pictures.length * PIXELS);
  for (const [i, image] of pictures.entries()) values.set(image, i * PIXELS);
  return tensor(values, { shape: [pictures.length, PIXELS] });
}

/** A spike on its way: it leaves a neuron of one layer in a step, and has its effect on a neuron of the next layer in another one. */
export interface Path {
  readonly from: number;
  readonly to: number;
  readonly leaves: number;
  readonly arrives: number;
}

/** All that happens when the network reads a drawing. */
export interface Wave {
  readonly image: Image;
  /** The step in which a pixel fires; −1 for the others. */
  readonly firstSpikes: Int8Array;
  /** Neurons that fire in each step. */
  readonly fired: readonly (readonly number[])[];
  /** Of each spike of a hidden neuron the pixels that have brought it about most. */
  readonly toHidden: readonly Path[];
  /** Of each spike of a hidden neuron the digit that it speaks for most. */
  readonly toDigits: readonly Path[];
  /** The membranes of the digits, [T, 10]. */
  readonly membranes: Float32Array;
  /** The digits that the drawing may be, the likelier first: one where the network is sure, none where it knows none. */
  readonly digits: readonly number[];
  /** The step from which on the largest membrane leads by more than half of its margin at the end; −1 where nothing fired. */
  readonly decided: number;
  /** Spikes of pixels and neurons until each step, with those in it. */
  readonly counts: readonly number[];
}

/** Causes of a spike that are shown. */
const CAUSES = 3;

/** Reads drawings by weights that are given. */
export class Reader {
  /** Places of the hidden neurons: neighbours speak for the same digit. */
  readonly places: Int32Array;
  private readonly network = new DigitNetwork();
  private readonly hidden: Float32Array;
  private readonly head: Float32Array;

  /** Weights [96, 196] and [10, 96]. */
  constructor({ hidden, head }: { hidden: Float32Array; head: Float32Array }) {
    this.hidden = hidden;
    this.head = head;
    this.network.hidden.weight.copyFrom(hidden);
    this.network.head.weight.copyFrom(head);
    const order = Array.from({ length: HIDDEN }, (_, h) => h).sort(
      (a, b) => this.spokenFor(a) - this.spokenFor(b) || a - b,
    );
    this.places = new Int32Array(HIDDEN);
    for (const [place, h] of order.entries()) this.places[h] = place;
  }

  /** The membranes of the digits at the end, for each picture. */
  scores(pictures: readonly Image[]): Float32Array[] {
    const scores = noGrad(() => lastMembrane(this.network.forward(batchOf(pictures))).toFloat32Array());
    return pictures.map((_, i) => scores.subarray(i * DIGITS, (i + 1) * DIGITS));
  }

  read(strokes: Strokes): Wave {
    const image = seen(strokes);
    const { pixels, spikes, membranes } = noGrad(() => {
      const all = this.network.unroll(batchOf([image]));
      return {
        pixels: all.pixels.toFloat32Array(),
        spikes: all.spikes.toFloat32Array(),
        membranes: all.membranes.toFloat32Array(),
      };
    });
    const firstSpikes = new Int8Array(PIXELS).fill(-1);
    for (let t = 0; t < TIMESTEPS; t++) {
      for (let i = 0; i < PIXELS; i++) if (pixels[t * PIXELS + i] === 1) firstSpikes[i] = t;
    }
    const fired = Array.from({ length: TIMESTEPS }, (_, t) =>
      Array.from({ length: HIDDEN }, (_, h) => h).filter((h) => spikes[t * HIDDEN + h] === 1),
    );
    let count = 0;
    const counts = fired.map((neurons, t) => {
      count += neurons.length + firstSpikes.filter((first) => first === t).length;
      return count;
    });
    const toHidden = fired.flatMap((neurons, t) => neurons.flatMap((h) => this.causesOf(h, t, firstSpikes)));
    const toDigits = fired.flatMap((neurons, t) =>
      neurons.map((h) => ({ from: h, to: this.spokenFor(h), leaves: t, arrives: t })),
    );
    const digits = digitsOf(membranes.subarray(-DIGITS), strokes);
    const decided = decidedAt(membranes, DIGITS);
    return { image, firstSpikes, fired, toHidden, toDigits, membranes, digits, decided, counts };
  }

  /** The pixels whose spikes have left most in the membrane of a neuron that fires. */
  private causesOf(neuron: number, t: number, firstSpikes: Int8Array): Path[] {
    const parts: { path: Path; share: number }[] = [];
    for (const [i, leaves] of firstSpikes.entries()) {
      if (leaves < 0 || leaves > t) continue;
      const share = (this.hidden[neuron * PIXELS + i] as number) * BETA ** (t - leaves);
      if (share > 0) parts.push({ path: { from: i, to: neuron, leaves, arrives: t }, share });
    }
    return parts
      .sort((a, b) => b.share - a.share)
      .slice(0, CAUSES)
      .map(({ path }) => path);
  }

  /** The digit to which a hidden neuron has its largest weight. */
  private spokenFor(neuron: number): number {
    return leaderOf(Array.from({ length: DIGITS }, (_, k) => this.head[k * HIDDEN + neuron] as number));
  }
}
