/** Connections that a rule can change, as a matrix [out, in] between samples of pre- and postsynaptic neurons. */
import { wrongType, wrongValue } from "../../engine/arguments.ts";
import { type Conv1d, type Conv2d, Linear, Module, type Pair, type Tensor } from "../../engine/index.ts";
import { Convolution } from "../../engine/protocol.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";

/** A layer whose weight a rule changes. */
export type Changeable = Linear | Conv1d | Conv2d;

/**
 * A connection for neurons of some shape. Each position of a window is a sample: the values under the window are its presynaptic neurons, the
 * channels at the position its postsynaptic ones. A linear layer has one position.
 */
export interface Connection {
  /** Shapes of the pre- and postsynaptic neurons, without the batch. */
  readonly pre: Shape;
  readonly post: Shape;
  /** Number of samples for one element of the batch. */
  readonly places: number;
  /** For each position, the indices in `pre` of the neurons under its window, −1 for padding; null for a linear layer. */
  readonly windows: readonly Int32Array[] | null;
}

/** Rows and columns of the weight as a matrix. */
export function matrixOf(weight: Tensor): readonly [outputs: number, inputs: number] {
  const [outputs, ...rest] = weight.sizes as [number, ...number[]];
  return [outputs, sizeOf(rest)];
}

export function checkLayer(where: string, layer: unknown): asserts layer is Changeable {
  if (!(layer instanceof Linear || layer instanceof Convolution)) {
    const expected = "a Linear, Conv1d or Conv2d layer";
    if (layer instanceof Module) throw new TypeError(`${where}: expected ${expected}, got ${layer.constructor.name}`);
    throw wrongType(where, expected, layer);
  }
  if (layer instanceof Linear || layer.groups === 1) return;
  throw wrongValue(where, "a convolution of one group", layer.groups);
}

/** The connection of a layer between neurons of these shapes, without the batch. */
export function connectionOf(where: string, layer: Changeable, pre: Shape): Connection {
  if (layer instanceof Linear) {
    if (!sameShape(pre, [layer.inFeatures]))
      throw wrongValue(where, `spikes before [B, ${layer.inFeatures}]`, shown(pre));
    return { pre, post: [layer.outFeatures], places: 1, windows: null };
  }
  const [outputs, channels, ...kernel] = layer.weight.sizes as [number, number, ...number[]];
  const [given, ...sizes] = pre;
  if (given !== channels || sizes.length !== kernel.length) {
    throw wrongValue(where, `spikes before [B, ${channels}, ${kernel.length === 1 ? "L" : "H, W"}]`, shown(pre));
  }
  const of = (pair: Pair): readonly number[] => (typeof pair === "number" ? kernel.map(() => pair) : pair);
  const [stride, padding, dilation] = [of(layer.stride), of(layer.padding), of(layer.dilation)];
  const spans = sizes.map((size, axis) => {
    const reach = (dilation[axis] as number) * ((kernel[axis] as number) - 1) + 1;
    const room = size + 2 * (padding[axis] as number) - reach;
    if (room < 0)
      throw wrongValue(where, `spikes before at least as large as the window, ${formatShape(kernel)}`, shown(pre));
    return Math.floor(room / (stride[axis] as number)) + 1;
  });
  const windows = indices(spans).map((place) =>
    Int32Array.from(
      indices([channels, ...kernel]).map(([channel, ...offset]) => {
        let at = channel as number;
        for (const [axis, size] of sizes.entries()) {
          const from = (place[axis] as number) * (stride[axis] as number) - (padding[axis] as number);
          const i = from + (offset[axis] as number) * (dilation[axis] as number);
          if (i < 0 || i >= size) return -1;
          at = at * size + i;
        }
        return at;
      }),
    ),
  );
  return { pre, post: [outputs, ...spans], places: windows.length, windows };
}

const shown = (shape: Shape): string => `[${["B", ...shape].join(", ")}]`;

/** All indices of an array of this shape, in row-major order. */
function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}
