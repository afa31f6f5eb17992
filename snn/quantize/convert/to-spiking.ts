/** Spiking networks from trained networks without spikes. */
import {
  choiceOf,
  iterableOf,
  numberOf,
  type Range,
  UNIT,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../../engine/arguments.ts";
import { isDataset } from "../../../engine/data/dataset.ts";
import {
  type Batches,
  DataLoader,
  type Dataset,
  type Encode,
  type Module,
  noGrad,
  ReLU,
  Sequential,
  Tensor,
} from "../../../engine/index.ts";
import { alive } from "../../../engine/tensor.ts";
import { TIMESTEPS } from "../../coding/spikes.ts";
import { LeakyIntegrator } from "../../leaky-integrator.ts";
import { Activations, type Mode, type Rule } from "./activations.ts";
import { chainOf, lastProduct, type Link } from "./chain.ts";
import { rebuilt } from "./rebuild.ts";
import { SpikingReLU } from "./rectifier.ts";
import { Repeated } from "./repeated.ts";

/** Options of {@link toSpiking}. */
export interface ToSpikingOptions {
  data: Tensor | Dataset<unknown> | Batches<unknown>;
  timesteps: number;
  mode?: Mode;
  percentile?: number;
  perChannel?: boolean;
  initial?: number;
  maxPool?: "refuse" | "spikes";
  encode?: Encode;
}

const WHERE = "toSpiking";
const asItIs: Encode = (x) => x;
const DEFAULTS = {
  data: undefined as unknown,
  timesteps: Number.NaN,
  mode: "percentile" as Mode,
  percentile: 99.9,
  perChannel: true,
  initial: 0.5,
  maxPool: "refuse" as "refuse" | "spikes",
  encode: asItIs,
} satisfies Record<keyof ToSpikingOptions, unknown>;

const PERCENTILE: Range = { expected: "in (0, 100]", fits: (x) => x > 0 && x <= 100 };

export function toSpiking(model: Module | readonly Module[], options: ToSpikingOptions): Sequential {
  const given = withDefaults(WHERE, DEFAULTS, options);
  const rule: Rule = {
    mode: choiceOf(WHERE, "mode", given.mode, ["max", "percentile", "error"]),
    percentile: numberOf(WHERE, "percentile", given.percentile, PERCENTILE),
    timesteps: numberOf(WHERE, "timesteps", given.timesteps, TIMESTEPS),
    initial: numberOf(WHERE, "initial", given.initial, UNIT),
  };
  const { perChannel, encode, maxPool, data } = given;
  const chain = chainOf(WHERE, model, choiceOf(WHERE, "maxPool", maxPool, ["refuse", "spikes"]));
  const { axes, activations } = measured(chain, data as ToSpikingOptions["data"], encode);
  return noGrad(() => {
    const modules = rebuilt(WHERE, chain, {
      axes,
      scalesOf: (i, mayDiffer) => (activations[i] as Activations).scales(rule, perChannel && mayDiffer),
      activation: (threshold) => new SpikingReLU({ threshold, initial: rule.initial }),
      sum: new LeakyIntegrator({ beta: 1 }),
      before: 1,
    });
    return new Sequential(new Repeated(rule.timesteps, (axes[0] as number) - 1), ...modules).eval();
  });
}

/** The number of axes of the input of each layer, and the activations of each ReLU in front of further weights. */
function measured(chain: readonly Link[], data: ToSpikingOptions["data"], encode: Encode) {
  const axes: number[] = [];
  const activations: (Activations | undefined)[] = [];
  const end = lastProduct(chain);
  let samples = 0;
  const see = (x: Tensor): void => {
    let z = x;
    samples++;
    for (const [i, { layer }] of chain.entries()) {
      axes[i] = z.ndim;
      z = layer.forward(z);
      if (!(layer instanceof ReLU) || i > end) continue;
      // Channels are the first axis behind the batch, and the other axes positions.
      const [, channels = 1, ...inner] = z.sizes;
      activations[i] ??= new Activations(channels);
      const size = inner.reduce((product, n) => product * n, 1);
      if (!activations[i].add(z.toFloat32Array(), size)) throw wrongValue(WHERE, "finite activations", "others");
    }
  };
  new Sequential(...chain.map(({ layer }) => layer)).evaluating(() => {
    for (const x of samplesOf(data)) noGrad(() => see(encode(x, undefined)));
  });
  if (samples === 0) throw wrongValue(WHERE, "data of at least one batch", "none");
  return { axes, activations };
}

/** Samples of a tensor that are run at once. */
const ROWS = 64;

/** The data in batches [B, …]. */
function* samplesOf(data: ToSpikingOptions["data"]): Iterable<Tensor> {
  if (data instanceof Tensor) {
    alive(data, WHERE);
    const n = data.sizes[0] ?? 0;
    for (let from = 0; from < n; from += ROWS) yield data.slice(0, from, Math.min(from + ROWS, n));
  } else if (isDataset(data)) {
    const loader = new DataLoader(data);
    try {
      for (const { x } of loader) yield x;
    } finally {
      loader.dispose();
    }
  } else {
    for (const { x } of iterableOf(WHERE, "data as a tensor, a dataset or batches", data)) yield x;
  }
}
