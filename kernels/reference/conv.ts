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
  /** Of a group. */
  readonly channels: number;
  readonly filters: number;
  readonly y: Axis;
  readonly x: Axis;
}

/**
 * A convolution and its two gradients. Every value of a map, every tap of its filter and the value of the image under that tap are a
 * term: the product of two of them is added to the third, the `result`.
 *
 *   maps[f, u, v] += weights[f, c, i, j]·images[c, stride·u + dilation·i − padding, stride·v + dilation·j − padding]
 *
 * maps: [images, groups·filters, y.places, x.places], weights: [groups·filters, channels, y.kernel, x.kernel],
 * images: [images, groups·channels, y.size, x.size].
 */
export function convolve(
  result: "maps" | "weights" | "images",
  { images: count, groups, channels, filters, y, x }: Convolution,
  maps: number,
  weights: number,
  images: number,
): void {
  const taps = channels * y.kernel * x.kernel;
  const places = y.places * x.places;
  for (let m = 0; m < count * groups * filters * places; m++) {
    const [map, u, v] = [Math.floor(m / places), Math.floor(m / x.places) % y.places, m % x.places];
    const group = Math.floor(map / filters);
    for (let tap = 0; tap < taps; tap++) {
      const [c, i, j] = [
        Math.floor(tap / (y.kernel * x.kernel)),
        Math.floor(tap / x.kernel) % y.kernel,
        tap % x.kernel,
      ];
      const row = u * y.stride + i * y.dilation - y.padding;
      const column = v * x.stride + j * x.dilation - x.padding;
      if (row < 0 || row >= y.size || column < 0 || column >= x.size) continue;
      const w = (map % (groups * filters)) * taps + tap;
      const pixel = ((group * channels + c) * y.size + row) * x.size + column;
      if (result === "maps") accumulate(maps, m, at(weights, w) * at(images, pixel));
      if (result === "weights") accumulate(weights, w, at(maps, m) * at(images, pixel));
      if (result === "images") accumulate(images, pixel, at(maps, m) * at(weights, w));
    }
  }
}
