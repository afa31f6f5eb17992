/** Measures the activations of a network on data, from which a conversion takes its scales. */
import { wrongValue } from "../../../engine/arguments.ts";
import { alive } from "../../../engine/extend.ts";
import { type Encode, type Lengths, noGrad, ReLU, Sequential, type Tensor } from "../../../engine/index.ts";
import { formatShape } from "../../../engine/shape.ts";
import { type ModelData, readData } from "../data.ts";
import { Activations } from "./activations.ts";
import { type Link, lastWeightLayer } from "./chain.ts";

/** Axes and activations of a chain on data. */
export interface Measured {
  /** Number of axes of each layer's input, including the batch axis. */
  readonly axes: readonly number[];
  /** Activations of each ReLU before further weights, by index. */
  readonly activations: readonly (Activations | undefined)[];
}

/** Runs the layers on the data in evaluation mode; without `perChannel`, all activations of a layer count together. */
export function measuredActivations(
  where: string,
  chain: readonly Link[],
  data: ModelData<unknown>,
  encode: Encode,
  perChannel: boolean,
): Measured {
  const end = lastWeightLayer(chain);
  const activations: (Activations | undefined)[] = [];
  let axes: number[] = [];
  const see = (x: Tensor): void => {
    alive(x, `${where}: encode`);
    if (x.ndim < 2 || (axes.length > 0 && x.ndim !== axes[0])) {
      throw wrongValue(where, axes.length > 0 ? `data of ${axes[0]} axes` : "data [B, …]", formatShape(x.sizes));
    }
    axes = [];
    let z = x;
    for (const [i, { layer, name }] of chain.entries()) {
      axes.push(z.ndim);
      z = layer.forward(z);
      if (!(layer instanceof ReLU) || i > end) continue;
      const [batch = 1, channels = 1] = perChannel ? z.sizes : [1, 1];
      activations[i] ??= new Activations(channels);
      const fits = activations[i].add(z.toFloat32Array(), z.size / (batch * channels));
      if (!fits) throw wrongValue(where, "finite activations", `others from ${name}`);
    }
  };
  new Sequential(...chain.map(({ layer }) => layer)).evaluating(() => {
    const run = (x: () => Tensor, lengths?: Lengths): void => noGrad(() => see(encode(x(), lengths)));
    const inParts = (x: Tensor): void => {
      const n = x.sizes[0] ?? 0;
      for (let from = 0; from < n; from += ROWS) run(() => x.slice(0, from, Math.min(from + ROWS, n)));
    };
    readData(where, data, inParts, ({ x, lengths }) => run(() => x, lengths));
  });
  if (axes.length === 0)
    throw wrongValue(where, "data of at least one batch", "none; a generator gives them once only");
  return { axes, activations };
}

/** Number of samples of a tensor that run at once. */
const ROWS = 64;
