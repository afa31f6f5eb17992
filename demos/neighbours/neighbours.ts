/** A hundred receptive fields that grow from noise to digits without a teacher: the network of Diehl and Cook on images of 14 × 14 pixels. */
import { Generator as RandomGenerator, tensor } from "jarvis-snn";
import { DigitNetwork, type Settings } from "../diehl-cook/network.ts";
import { Votes } from "../diehl-cook/votes.ts";

/** Settings for images of 14 × 14, chosen on training digits that lesson 5's file does not have. */
export const SETTINGS = {
  pixels: 196,
  timesteps: 150,
  rateHz: 200,
  inhibition: 30,
  eta: 0.02,
  target: 0.25,
  weightSum: 24,
  thetaPlus: 0.2,
  thetaRest: 20,
  thetaDecay: 1 - 1 / 800,
  mostTimes: 2,
} as const satisfies Partial<Settings>;

/** Each image of a class leaves so much of the responses to earlier ones of the class. */
const FADE = 0.98;
/** Images that are measured at a time. */
const AT_ONCE = 20;

/** Images, a byte a pixel, and their labels, which name the fields only: no weight learns from them. */
export interface Images {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/** An image and the response of the fields to it. */
export interface Seen {
  /** Which image of the file it is, and what it shows. */
  readonly image: number;
  readonly label: number;
  /** Spikes of each neuron. */
  readonly counts: Float32Array;
  /** The digit that the fields name, by the votes before this image; −1 as long as no field has a name. */
  readonly said: number;
}

export class Neighbours {
  readonly network: DigitNetwork;
  /** Images seen so far. */
  seen = 0;
  private readonly images: Images;
  private readonly order: ArrayLike<number>;
  private readonly votes: Votes;

  constructor(images: Images, settings: Partial<Settings> = {}) {
    this.network = new DigitNetwork({ ...SETTINGS, ...settings });
    const { seed, neurons } = this.network.settings;
    this.images = images;
    this.order = new RandomGenerator(seed).permutation(images.y.length);
    this.votes = new Votes(neurons, FADE);
  }

  /** Shows the next image, and learns from it; `raster` becomes its spikes, as `DigitNetwork.learn` has it. */
  next(raster?: number[]): Seen {
    const { images, network, votes, order } = this;
    const image = order[this.seen % order.length] as number;
    const x = batchOf(images, network.settings.pixels, image, 1);
    const counts = network.learn(x, raster);
    x.dispose();
    const label = images.y[image] as number;
    const said = this.seen === 0 ? -1 : votes.weighted(counts);
    votes.add(counts, label);
    this.seen++;
    return { image, label, counts, said };
  }

  /** The fields as bytes, [N, pixels]: the largest weight of each is 255. */
  fields(): Uint8Array {
    const { pixels, neurons } = this.network.settings;
    const weights = this.network.connection.weight.toFloat32Array();
    const bytes = new Uint8Array(weights.length);
    for (let j = 0; j < neurons; j++) {
      const field = weights.subarray(j * pixels, (j + 1) * pixels);
      const most = field.reduce((high, w) => Math.max(high, w), 1e-9);
      field.forEach((w, i) => {
        bytes[j * pixels + i] = Math.round((255 * w) / most);
      });
    }
    return bytes;
  }

  /** The name of each field by vote, −1 for none, and how sure it is: its share in the field's response, in [0, 1]. */
  names(): { readonly labels: Int8Array; readonly shares: Float32Array } {
    const names = Array.from({ length: this.network.settings.neurons }, (_, j) => this.votes.nameOf(j));
    return {
      labels: Int8Array.from(names, ({ label }) => label),
      shares: Float32Array.from(names, ({ share }) => share),
    };
  }

  /** The share of images that the fields name right, while nothing is learned; yields after every few images. */
  *measure(images: Images): Generator<void, number, void> {
    const { pixels, neurons } = this.network.settings;
    const { length } = images.y;
    let right = 0;
    for (let from = 0; from < length; from += AT_ONCE) {
      const count = Math.min(AT_ONCE, length - from);
      const x = batchOf(images, pixels, from, count);
      const counts = this.network.respond(x);
      x.dispose();
      for (let b = 0; b < count; b++) {
        const said = this.votes.weighted(counts.subarray(b * neurons, (b + 1) * neurons));
        right += Number(said === images.y[from + b]);
      }
      yield;
    }
    return right / length;
  }
}

/** Images in [0, 1], [count, pixels]. */
function batchOf({ x }: Images, pixels: number, from: number, count: number) {
  const values = Float32Array.from(x.subarray(from * pixels, (from + count) * pixels), (value) => value / 255);
  return tensor(values, { shape: [count, pixels] });
}
