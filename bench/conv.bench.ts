/** Convolutions: dense ones as shares of the mul+add peak, or of the memory's bandwidth, and the step of a network that classifies MNIST. */
import { conv2d, noGrad, parameter, rand, tape, warmup } from "jarvis-snn";
import { block } from "./support/blocks.ts";
import { type Contender, calls, interleave } from "./support/interleave.ts";
import { peakProbe, probes, shareOfPeak } from "./support/probes.ts";
import { race } from "./support/race.ts";
import { type Measured, type Rows, report } from "./support/report.ts";
import { conv } from "./support/steps.ts";
import { mnistFiles } from "./support/training.ts";

const ROUNDS = 15;

/** A convolution of images and weights without zeros. */
interface Layer {
  readonly images: number;
  readonly channels: number;
  readonly filters: number;
  readonly size: number;
  readonly kernel: number;
  readonly padding: number;
  /** The limit that the row compares with: peak arithmetic or memory bandwidth. */
  readonly by: "peak" | "triad";
}

/** The second convolution of the network, and two of a residual network. */
const LAYERS: readonly (Layer & { readonly keys: readonly [forward: string, gradients: string] })[] = [
  {
    ...{ images: 128, channels: 12, filters: 64, size: 12, kernel: 5, padding: 0, by: "peak" },
    keys: ["forward", "gradients"],
  },
  {
    ...{ images: 32, channels: 256, filters: 256, size: 4, kernel: 3, padding: 1, by: "peak" },
    keys: ["deepForward", "deepGradients"],
  },
  {
    ...{ images: 32, channels: 512, filters: 512, size: 1, kernel: 3, padding: 1, by: "triad" },
    keys: ["pointForward", "pointGradients"],
  },
];

/** Arrays as large as the weights that forward, both gradients and the triad read or write. */
const ARRAYS = { forward: 1, gradients: 3, triad: 3 };

/** Forward and both gradients of a layer. */
async function measured(layer: Layer): Promise<[forward: Measured, gradients: Measured]> {
  const { images, channels, filters, size, kernel, padding, by } = layer;
  const places = size + 2 * padding - kernel + 1;
  const flops = 2 * images * filters * places ** 2 * channels * kernel ** 2;
  const x = parameter(rand([images, channels, size, size]));
  const weight = parameter(rand([filters, channels, kernel, kernel]));
  const dz = rand([images, filters, places, places]);
  const forward = calls("forward", () => void noGrad(() => conv2d(x, weight, null, { padding }).data));
  const gradients: Contender = {
    name: "gradients",
    measure() {
      for (const leaf of [x, weight]) leaf.zeroGrad();
      return tape(() => {
        const z = conv2d(x, weight, null, { padding });
        const start = performance.now();
        z.backward(dz);
        return performance.now() - start;
      });
    },
  };
  const [a, b, c] = [0, 0, 0].map(() => block(weight.size)) as [number, number, number];
  const triad = calls("triad", () => probes.triad(a, b, c, weight.size));
  const probe = by === "peak" ? peakProbe : triad;
  const run = await interleave([probe, forward, gradients], ROUNDS);
  const row = (name: "forward" | "gradients", flops: number): Measured => ({
    value: by === "peak" ? shareOfPeak(run, name, flops) : (run.ratio(probe.name, name) * ARRAYS[name]) / ARRAYS.triad,
    times: run.medians(name, probe.name),
  });
  return [row("forward", flops), row("gradients", 2 * flops)];
}

warmup();
const rows: Rows = await race("conv", { step: { ...conv(), rounds: 3 } }, { args: mnistFiles() });
for (const { keys, ...layer } of LAYERS) [rows[keys[0]], rows[keys[1]]] = await measured(layer);
report(rows);
