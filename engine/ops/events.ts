/**
 * Convolutions of images with many zeros, over non-zeros alone, in one of two ways (kernels/events.ts):
 *
 *   events    one after the other adds to all windows over it
 *   windows   of spikes, each window has a row of bits, which the product follows
 *
 * Both add up in the order of the dense products.
 */
import { extra, inReference, k } from "../backend.ts";
import { allocate, recycle } from "../scope.ts";
import { formOf, type Tensor } from "../tensor.ts";
import { fitsWords, SpikeWindows } from "./spike-windows.ts";
import { type Axis, bytesOfParts, carve, Follower, type Path, type Windows } from "./windows.ts";

/** Values that are looked through at a time. */
const COUNTED = 65536;
/** Density of spikes from which on rows of bits are worth making. */
const WINDOWED = 0.04;

/** Which way a convolution of x goes: in the reference the dense one. Depends on sizes and values only. */
export function pathOf(x: Tensor, { filters, y: down, x: across }: Windows): Path {
  if (inReference()) return "dense";
  // The cost of an event: vectors under the windows over it, runs of neighbours, and itself. A dense product works on
  // as many vectors for every value, in a little more than half the time.
  const windows = (down.kernel * across.kernel) / (down.stride * across.stride);
  const runs = across.stride * across.dilation === 1 ? down.kernel / down.stride : windows;
  const vectors = windows * Math.ceil(filters / 4);
  const limit = ((0.58 * vectors) / (vectors + 8 * runs + 17)) * x.size;
  if (formOf(x) === "bits") {
    const count = k.countBits(x.bits, Math.ceil(x.size / 32));
    if (count >= limit) return "dense";
    return count >= WINDOWED * x.size && fitsWords(down, across) ? "windows" : "events";
  }
  const bits = allocate(COUNTED / 8);
  let count = 0;
  for (let i = 0; i < x.size && count < limit; i += COUNTED) {
    count += k.packBits(bits, x.ptr + 4 * i, 1, Math.min(COUNTED, x.size - i)) & 0x7fffffff;
  }
  recycle(bits, COUNTED / 8);
  return count < limit ? "events" : "dense";
}

/** Follows the images with these weights, which are copied. */
export function followerOf(g: Windows, weights: number, images: Tensor): Follower {
  g.follower ??= g.path === "windows" ? new SpikeWindows(g, images) : new Events(g, images);
  g.follower.begin(weights);
  return g.follower;
}

/** The events of images, and the weights they meet, with the filters innermost and the taps in reverse. */
class Events extends Follower {
  private down = 0;
  private across = 0;
  /** Bits of the non-zeros of an image, if it is floats. */
  private bits = 0;

  begin(weights: number): void {
    const { groups, channels, filters, y, x, taps, size } = this.g;
    const unit = 4 * filters;
    const words = [
      groups * filters * taps,
      1 + 5 * y.size,
      1 + 5 * x.size,
      Math.ceil((channels * size) / 32) + 1,
    ] as const;
    this.bytes = bytesOfParts(words);
    [this.turned, this.down, this.across, this.bits] = carve(words);
    overlapsOf(this.down, y, x.kernel * unit, x.places * unit);
    overlapsOf(this.across, x, unit, unit);
    k.copyStrided(this.turned, weights + 4 * (taps - 1), 1, groups, taps, filters, 0, filters * taps, -1, taps);
  }

  writeMaps(maps: number, bias: number): void {
    const { groups, filters, places } = this.g;
    const bytes = 4 * places * filters;
    const side = allocate(bytes);
    for (let n = 0; n < this.count * groups; n++) {
      if (bias === 0) k.fill(side, places * filters, 0);
      else k.expandAxis(side, bias + 4 * (n % groups) * filters, 1, places, filters);
      this.add(side, n, 0);
      k.transpose(maps + n * bytes, side, places, filters);
    }
    recycle(side, bytes);
    this.end(0);
  }

  addWeights(maps: number, first: number, count: number, group: number): void {
    const { groups, filters, places } = this.g;
    const bytes = 4 * filters * places;
    for (let j = 0; j < count; j++) this.add(maps + j * bytes, (first + j) * groups + group, 1);
  }

  /** The maps of a group of channels of an image, the n-th of all, += weights · x, or with `toWeights` = 1 the other way. */
  private add(maps: number, n: number, toWeights: 0 | 1): void {
    const { images, bits, down, across } = this;
    const { groups, channels, filters, kernel, taps, size } = this.g;
    const values = channels * size;
    const weights = this.turned + 4 * (n % groups) * taps * filters;
    let stream = images.bits;
    let first = n * values;
    let image = 0;
    if (formOf(images) === "floats") {
      image = images.ptr + 4 * first;
      stream = bits;
      first = 0;
      k.packBits(bits, image, 1, values);
    }
    const { addEvents } = extra();
    addEvents(maps, weights, stream, first, image, down, across, channels, kernel, filters, toWeights);
  }

  end(weights: number): void {
    const { groups, filters, taps } = this.g;
    const last = this.turned + 4 * (taps - 1) * filters;
    if (weights !== 0) k.copyStrided(weights, last, 1, groups, filters, taps, 0, filters * taps, 1, -filters);
    recycle(this.turned, this.bytes);
  }
}

/** table ← which windows lie over each value along an axis, with the bytes from a tap to the next and from a place. */
function overlapsOf(table: number, axis: Axis, tapUnit: number, placeUnit: number): void {
  const { size, places, kernel, stride, padding, dilation } = axis;
  extra().overlaps(table, size, places, kernel, stride, padding, dilation, tapUnit, placeUnit);
}
