import { accumulate, at } from "./memory.ts";

/** Windows along an axis of an image. */
interface Axis {
  readonly size: number;
  readonly places: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

interface Convolution {
  readonly images: number;
  readonly groups: number;
  /** Channels of a group. */
  readonly channels: number;
  readonly filters: number;
  readonly y: Axis;
  readonly x: Axis;
}

/**
 * Position on the axis of tap number `tap` in the window at this place. A position in the padding lies outside of the
 * image.
 */
const under = (axis: Axis, place: number, tap: number): number =>
  place * axis.stride + tap * axis.dilation - axis.padding;

/**
 * A convolution and its two gradients. A value of a map, a tap of its filter and the pixel under that tap form a term: the product of two of them
 * is added to the third, the `result`.
 *
 *   maps[f, u, v] += weights[f, c, i, j]·images[c, stride·u + dilation·i − padding, stride·v + dilation·j − padding]
 *
 * maps: [images, groups·filters, y.places, x.places], weights: [groups·filters, channels, y.kernel, x.kernel],
 * images: [images, groups·channels, y.size, x.size].
 */
export function convolve(
  result: "maps" | "weights" | "images",
  g: Convolution,
  maps: number,
  weights: number,
  images: number,
): void {
  eachTerm(g, (m, w, p) => {
    if (result === "maps") accumulate(maps, m, at(weights, w) * at(images, p));
    if (result === "weights") accumulate(weights, w, at(maps, m) * at(images, p));
    if (result === "images") accumulate(images, p, at(maps, m) * at(weights, w));
  });
}

/** Calls f with the indices of each term: of the value in the maps, of the weight, and of the pixel; one channel of the maps after the other. */
function eachTerm(
  { images, groups, channels, filters, y, x }: Convolution,
  f: (map: number, weight: number, pixel: number) => void,
): void {
  for (let channel = 0; channel < images * groups * filters; channel++) {
    const first = Math.floor(channel / filters) * channels;
    for (let u = 0; u < y.places; u++)
      for (let v = 0; v < x.places; v++)
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < y.kernel; i++)
            for (let j = 0; j < x.kernel; j++) {
              const [row, column] = [under(y, u, i), under(x, v, j)];
              if (row < 0 || row >= y.size || column < 0 || column >= x.size) continue;
              const map = (channel * y.places + u) * x.places + v;
              const weight = (((channel % (groups * filters)) * channels + c) * y.kernel + i) * x.kernel + j;
              f(map, weight, ((first + c) * y.size + row) * x.size + column);
            }
  }
}
