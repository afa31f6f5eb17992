/**
 * Convolutions of images with many zeros, which follow what is not 0, in one of two ways (kernels/events.ts):
 *
 *   events    one after the other adds to all windows over it
 *   windows   of spikes, each window has a row of bits, which the product follows
 *
 * Both add up in the order of the dense products.
 */
import { k } from "../backend.ts";
import { allocate, recycle, scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { listBytes } from "./matmul.ts";
import { type Axis, bytesOf, carve, type Path, type Windows } from "./windows.ts";

/** Values that are looked through at a time. */
const COUNTED = 65536;
/** Density of spikes from which on rows of bits are worth making. */
const WINDOWED = 0.04;
/** Places of windows whose rows are made at a time. */
const PLACES = 512;

/** Which way a convolution of x goes. Depends on sizes and values only. */
export function pathOf(x: Tensor, filters: number, down: Axis, across: Axis): Path {
  // What an event costs: vectors under the windows over it, runs of neighbours, and itself. A dense product works on as many
  // vectors for every value, in a little more than half the time.
  const windows = (down.kernel * across.kernel) / (down.stride * across.stride);
  const runs = across.stride * across.dilation === 1 ? down.kernel / down.stride : windows;
  const vectors = windows * Math.ceil(filters / 4);
  const limit = ((0.58 * vectors) / (vectors + 8 * runs + 17)) * x.size;
  if (x.ptr === 0) {
    const count = k.countBits(x.bits, Math.ceil(x.size / 32));
    if (count >= limit) return "dense";
    return count >= WINDOWED * x.size && fitsWords(down, across) ? "windows" : "events";
  }
  const bits = allocate(COUNTED / 8);
  let count = 0;
  for (let i = 0; i < x.size && count < limit; i += COUNTED) {
    count += k.packBits(bits, x.ptr + 4 * i, 1, Math.min(COUNTED, x.size - i)) & 0x7fffffff;
  }
  recycle(bits, COUNTED / 8, scope.region);
  return count < limit ? "events" : "dense";
}

/** Whether `windowBits` takes such images. */
function fitsWords(down: Axis, across: Axis): boolean {
  const height = down.size + 2 * down.padding;
  const width = across.size + 2 * across.padding;
  const small = down.kernel * across.kernel <= 32 && across.size <= 32 && height <= 64 && width <= 64;
  return small && 3 * across.stride + across.kernel <= 32 && down.dilation === 1 && across.dilation === 1;
}

/** What takes its part of the maps, with the filters innermost, of some images and a group of channels. */
export interface Follower {
  /** weights += maps [count, places, filters] · patchesᵀ */
  addWeights(maps: number, first: number, count: number, group: number): void;
  /** Writes the weights to where they belong, unless the address is 0, and gives back the memory. */
  end(weights: number): void;
}

/** Follows the images; the weights are copied. */
export const followerOf = (g: Windows, weights: number, images: Tensor): Follower =>
  g.path === "windows" ? new SpikeWindows(g, weights, images) : new Events(g, weights, images);

/** maps ← bias (or 0, the address) + weights · patches */
export function followMaps(g: Windows, maps: number, weights: number, images: Tensor, bias: number): void {
  if (g.path === "windows") new SpikeWindows(g, weights, images).writeMaps(maps, bias);
  else new Events(g, weights, images).writeMaps(maps, bias);
}

/** The events of images, and the weights they meet, with the filters innermost and the taps in reverse. */
class Events implements Follower {
  private readonly g: Windows;
  private readonly images: Tensor;
  private readonly turned: number;
  private readonly down: number;
  private readonly across: number;
  /** Bits of the non-zeros of an image, if it is floats. */
  private readonly bits: number;
  private readonly bytes: number;

  constructor(g: Windows, weights: number, images: Tensor) {
    const { groups, channels, filters, y, x } = g;
    const taps = channels * y.kernel * x.kernel;
    const words = [
      groups * filters * taps,
      5 * y.size,
      5 * x.size,
      Math.ceil((channels * y.size * x.size) / 32) + 1,
    ] as const;
    const unit = 4 * filters;
    this.g = g;
    this.images = images;
    this.bytes = bytesOf(words);
    [this.turned, this.down, this.across, this.bits] = carve(words);
    k.overlaps(
      this.down,
      y.size,
      y.places,
      y.kernel,
      y.stride,
      y.padding,
      y.dilation,
      x.kernel * unit,
      x.places * unit,
    );
    k.overlaps(this.across, x.size, x.places, x.kernel, x.stride, x.padding, x.dilation, unit, unit);
    k.copyStrided(this.turned, weights + 4 * (taps - 1), 1, groups, taps, filters, 0, filters * taps, -1, taps);
  }

  writeMaps(maps: number, bias: number): void {
    const { images, groups, filters, y, x } = this.g;
    const places = y.places * x.places;
    const bytes = 4 * places * filters;
    const side = allocate(bytes);
    for (let n = 0; n < images * groups; n++) {
      if (bias === 0) k.fill(side, places * filters, 0);
      else k.expandAxis(side, bias + 4 * (n % groups) * filters, 1, places, filters);
      this.add(side, n, 0);
      k.transpose(maps + n * bytes, side, places, filters);
    }
    recycle(side, bytes, scope.region);
    this.end(0);
  }

  addWeights(maps: number, first: number, count: number, group: number): void {
    const { groups, filters, y, x } = this.g;
    const bytes = 4 * filters * y.places * x.places;
    for (let j = 0; j < count; j++) this.add(maps + j * bytes, (first + j) * groups + group, 1);
  }

  /** The maps of a group of channels of an image, the n-th of all, += weights · x, or with `toWeights` = 1 the other way. */
  private add(maps: number, n: number, toWeights: 0 | 1): void {
    const { images, bits, down, across } = this;
    const { groups, channels, filters, y, x } = this.g;
    const kernel = y.kernel * x.kernel;
    const values = channels * y.size * x.size;
    const weights = this.turned + 4 * (n % groups) * channels * kernel * filters;
    let stream = images.bits;
    let first = n * values;
    let image = 0;
    if (images.ptr !== 0) {
      image = images.ptr + 4 * first;
      stream = bits;
      first = 0;
      k.packBits(bits, image, 1, values);
    }
    k.addEvents(
      maps,
      weights,
      stream,
      first,
      image,
      down,
      across,
      channels,
      y.size,
      x.size,
      kernel,
      filters,
      toWeights,
    );
  }

  end(weights: number): void {
    const { groups, channels, filters, y, x } = this.g;
    const taps = channels * y.kernel * x.kernel;
    const last = this.turned + 4 * (taps - 1) * filters;
    if (weights !== 0) k.copyStrided(weights, last, 1, groups, filters, taps, 0, filters * taps, 1, -filters);
    recycle(this.turned, this.bytes, scope.region);
  }
}

/** The spikes under every window as rows of bits, a word a channel; the weights as [32·channels, filters], with gaps. */
class SpikeWindows implements Follower {
  private readonly g: Windows;
  private readonly images: Tensor;
  private readonly turned: number;
  /** Rows for all places of so many images, and the same by taps. */
  private readonly batch: number;
  private readonly rows: number;
  private readonly columns: number;
  /** Maps with the filters innermost. */
  private readonly side: number;
  private readonly bytes: number;

  constructor(g: Windows, weights: number, images: Tensor) {
    const { groups, channels, filters, y, x } = g;
    const kernel = y.kernel * x.kernel;
    const places = y.places * x.places;
    this.g = g;
    this.images = images;
    this.batch = Math.max(1, Math.min(g.images, Math.floor(PLACES / places)));
    const most = this.batch * places;
    const words = [
      groups * 32 * channels * filters,
      most * channels,
      32 * channels * Math.ceil(most / 32),
      most * filters,
    ] as const;
    this.bytes = bytesOf(words);
    [this.turned, this.rows, this.columns, this.side] = carve(words);
    for (let c = 0; c < groups * channels; c++) {
      const from = weights + 4 * (Math.floor(c / channels) * filters * channels + (c % channels)) * kernel;
      k.copyStrided(this.turned + 4 * c * 32 * filters, from, 1, 1, kernel, filters, 0, 0, 1, channels * kernel);
    }
  }

  writeMaps(maps: number, bias: number): void {
    const { turned, rows, side } = this;
    const { images, groups, channels, filters, y, x } = this.g;
    const places = y.places * x.places;
    const depth = 32 * channels;
    for (let first = 0; first < images; first += this.batch) {
      const count = Math.min(this.batch, images - first);
      const m = count * places;
      for (let i = 0; i < groups; i++) {
        const found = this.findSpikes(first, count, i);
        const w = turned + 4 * i * depth * filters;
        const start = bias === 0 ? 0 : bias + 4 * i * filters;
        const lists = allocate(listBytes(m, found, false));
        k.gather(side, rows, lists, 0, w, start, found, m, filters, depth, 0, 0, filters, 1, filters, 0, 1);
        recycle(lists, listBytes(m, found, false), scope.region);
        for (let j = 0; j < count; j++) {
          const map = maps + 4 * ((first + j) * groups + i) * filters * places;
          k.transpose(map, side + 4 * j * places * filters, places, filters);
        }
      }
    }
    this.end(0);
  }

  addWeights(maps: number, first: number, count: number, group: number): void {
    const { turned, rows, columns, batch } = this;
    const { channels, filters, y, x } = this.g;
    const places = y.places * x.places;
    const depth = 32 * channels;
    const w = turned + 4 * group * depth * filters;
    for (let done = 0; done < count; done += batch) {
      const some = Math.min(batch, count - done);
      const m = some * places;
      const found = this.findSpikes(first + done, some, group);
      k.transposeBits(columns, rows, m, depth);
      const from = maps + 4 * done * places * filters;
      const lists = allocate(listBytes(depth, found, false));
      k.gather(w, columns, lists, 0, from, w, found, depth, filters, m, 0, 0, filters, 1, filters, filters, 1);
      recycle(lists, listBytes(depth, found, false), scope.region);
    }
  }

  /** Makes the rows of a group of channels of some images, and says how many bits they have. */
  private findSpikes(first: number, count: number, group: number): number {
    const { rows, images } = this;
    const { groups, channels, y, x } = this.g;
    const places = y.places * x.places;
    const values = channels * y.size * x.size;
    for (let j = 0; j < count; j++) {
      k.windowBits(
        rows + 4 * j * places * channels,
        images.bits,
        ((first + j) * groups + group) * values,
        channels,
        y.size,
        x.size,
        y.kernel,
        x.kernel,
        y.places,
        x.places,
        y.stride,
        x.stride,
        y.padding,
        x.padding,
      );
    }
    return k.countBits(rows, count * places * channels);
  }

  end(weights: number): void {
    const { groups, channels, filters, y, x } = this.g;
    const kernel = y.kernel * x.kernel;
    const depth = 32 * channels;
    if (weights !== 0) {
      for (let i = 0; i < groups; i++) {
        const to = weights + 4 * i * filters * channels * kernel;
        const from = this.turned + 4 * i * depth * filters;
        k.copyStrided(to, from, 1, filters, channels, kernel, 0, 1, 32 * filters, filters);
      }
    }
    recycle(this.turned, this.bytes, scope.region);
  }
}
