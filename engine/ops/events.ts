/**
 * Convolutions of images with many zeros, over non-zeros alone, in one of two ways (kernels/events.ts):
 *
 *   events    one after the other adds to all windows over it
 *   windows   of spikes, each window has a row of bits, a word a channel, which the product follows
 *
 * Both add up in the order of the dense products.
 */
import * as layout from "../../kernels/conv-layout.ts";
import * as product from "../../kernels/product-layout.ts";
import { extra, inReference, integers, k } from "../backend.ts";
import { allocate, recycle } from "../scope.ts";
import { formOf, type Tensor } from "../tensor.ts";
import {
  type Axis,
  describeImages,
  imagesIn,
  makeTables,
  type Path,
  parts,
  recycleTables,
  tableBytes,
  type Windows,
} from "./windows.ts";

/** Values that are looked through at a time. */
const COUNTED = 65536;
/** Density of spikes from which on rows of bits are worth making. */
const WINDOWED = 0.04;
/** Places of windows whose rows of bits are made at a time. */
const PLACES = 512;

/** Spikes at a time for which there is room in lists, as a multiple of their mean. */
const ROOM = 2;

/** Chooses the way in which a convolution of x goes: in the reference the dense one. Depends on sizes and values only. */
export function choosePath(x: Tensor, g: Windows): void {
  if (!inReference()) g.path = pathOf(x, g);
}

function pathOf(x: Tensor, g: Windows): Path {
  const { filters, y: down, x: across } = g;
  // The cost of an event: vectors under the windows over it, runs of neighbours, and itself. A dense product works on
  // as many vectors for every value, in a little more than half the time.
  const windows = (down.kernel * across.kernel) / (down.stride * across.stride);
  const runs = across.stride * across.dilation === 1 ? down.kernel / down.stride : windows;
  const vectors = windows * Math.ceil(filters / 4);
  const limit = ((0.58 * vectors) / (vectors + 8 * runs + 17)) * x.size;
  if (formOf(x) === "bits") {
    const count = k.countBits(x.bits, Math.ceil(x.size / 32));
    g.density = count / x.size;
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

/** Whether `windowBits` takes such images. */
function fitsWords(down: Axis, across: Axis): boolean {
  const height = down.size + 2 * down.padding;
  const width = across.size + 2 * across.padding;
  const small = down.kernel * across.kernel <= 32 && across.size <= 32 && height <= 64 && width <= 64;
  return small && 3 * across.stride + across.kernel <= 32 && down.dilation === 1 && across.dilation === 1;
}

/** Follows the images on the path of g with these weights, which are copied; or, where `isGradient`, adds to them as their gradient. */
export const followerOf = (g: Windows, weights: number, images: Tensor, isGradient: boolean): Follower =>
  g.path === "windows" ? new SpikeWindows(g, images, weights, isGradient) : new Events(g, images, weights);

/** The way of a convolution over the non-zeros of its images, with a copy of its weights, turned, until `end`. */
export abstract class Follower {
  protected readonly g: Windows;
  private readonly images: Tensor;
  /** EVENTS or WINDOWS. */
  protected abstract readonly follows: number;
  /** Where the weights are, turned, and tables of both axes. */
  protected turned = 0;
  protected down = 0;
  protected across = 0;

  constructor(g: Windows, images: Tensor) {
    this.g = g;
    this.images = images;
  }

  /** The words that kernels work in for so many images at a time: rows of bits, the same by taps, and lists. */
  abstract rowWords(count: number): number;
  abstract tapWords(count: number): number;
  abstract listWords(count: number): number;
  /** How many images are worth taking at a time. */
  protected abstract readonly batch: number;
  /** Writes the gradient of the weights to where it belongs, unless the address is 0, and gives back the memory. */
  abstract end(weights: number): void;

  /** Bits that have room in lists for so many images. */
  abstract most(count: number): number;

  /** Describes it to kernels, in a descriptor of g, for so many images at a time; its parts of the work area begin at these offsets. */
  describe(at: number, count: number, rows: number, byTaps: number, lists: number): void {
    const { images } = this;
    const isFloats = formOf(images) === "floats";
    integers[at + layout.images] = isFloats ? images.ptr : 0;
    integers[at + layout.bits] = isFloats ? 0 : images.bits;
    integers[at + layout.follows] = this.follows;
    integers[at + layout.turned] = this.turned;
    integers[at + layout.down] = this.down;
    integers[at + layout.across] = this.across;
    integers[at + layout.rows] = rows;
    integers[at + layout.byTaps] = byTaps;
    integers[at + layout.lists] = lists;
    integers[at + layout.most] = this.most(count);
  }

  /** maps ← bias (or 0, the address) + weights · patches */
  writeMaps(maps: number, bias: number): void {
    const { g, batch } = this;
    parts.begin(layout.words);
    const work = parts.take(product.words);
    const side = parts.take(batch * g.places * g.filters);
    const rows = parts.take(this.rowWords(batch));
    const lists = parts.take(this.listWords(batch));
    const { bytes } = parts;
    const p = allocate(bytes);
    const at = describeImages(p, g, batch, bytes - work);
    this.describe(at, batch, rows - work, 0, lists - work);
    integers[at + layout.maps] = maps;
    integers[at + layout.bias] = bias;
    integers[at + layout.side] = side - work;
    extra().followMaps(p, p + work, 0, imagesIn(g));
    recycle(p, bytes);
    this.end(0);
  }
}

/** The events of images, and the weights they meet, with the filters innermost and the taps in reverse. */
class Events extends Follower {
  protected readonly follows = layout.EVENTS;
  protected readonly batch = 1;
  private readonly bytes: number;

  constructor(g: Windows, images: Tensor, weights: number) {
    super(g, images);
    const { groups, filters, y, x, taps } = g;
    const unit = 4 * filters;
    parts.begin(groups * filters * taps);
    const down = parts.take(1 + 5 * y.size);
    const across = parts.take(1 + 5 * x.size);
    this.bytes = parts.bytes;
    this.turned = allocate(this.bytes);
    this.down = this.turned + down;
    this.across = this.turned + across;
    overlapsOf(this.down, y, x.kernel * unit, x.places * unit);
    overlapsOf(this.across, x, unit, unit);
    k.copyStrided(this.turned, weights + 4 * (taps - 1), 1, groups, taps, filters, 0, filters * taps, -1, taps);
  }

  /** Bits of the non-zeros of an image, if it is floats. */
  rowWords(): number {
    return Math.ceil((this.g.channels * this.g.size) / 32) + 1;
  }

  tapWords(): number {
    return 0;
  }

  listWords(): number {
    return 0;
  }

  most(): number {
    return 0;
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

/** The spikes under every window as rows of bits, a word a channel; the weights as [32·channels, filters], with gaps, their gradient without. */
class SpikeWindows extends Follower {
  protected readonly follows = layout.WINDOWS;
  protected readonly batch = Math.max(1, Math.min(imagesIn(this.g), Math.floor(PLACES / this.g.places)));
  /** Rows of a channel of the turned weights. */
  private readonly rows: number;

  constructor(g: Windows, images: Tensor, weights: number, isGradient: boolean) {
    super(g, images);
    const { groups, channels, filters, kernel, taps, y } = g;
    this.rows = isGradient ? kernel : 32;
    this.turned = allocate(this.bytes);
    this.down = makeTables(g);
    this.across = this.down + tableBytes(y);
    for (let c = 0; c < groups * channels; c++) {
      const from = weights + 4 * (Math.floor(c / channels) * filters * channels + (c % channels)) * kernel;
      k.copyStrided(this.turned + 4 * c * this.rows * filters, from, 1, 1, kernel, filters, 0, 0, 1, taps);
    }
  }

  private get bytes(): number {
    return 4 * this.g.groups * this.rows * this.g.channels * this.g.filters;
  }

  rowWords(count: number): number {
    return count * this.g.places * this.g.channels;
  }

  tapWords(count: number): number {
    return 32 * this.g.channels * Math.ceil((count * this.g.places) / 32);
  }

  /** A word for each row, and two bytes for each bit. */
  listWords(count: number): number {
    const { places, taps } = this.g;
    return Math.max(count * places, taps) + 6 + Math.ceil(this.most(count) / 2);
  }

  /** Bits that are listed at a time, where so many images are taken: all of a row at least. */
  most(count: number): number {
    const { taps, places, density } = this.g;
    return Math.max(taps, count * places, Math.ceil(ROOM * density * count * places * taps));
  }

  end(weights: number): void {
    const { groups, filters, taps } = this.g;
    if (weights !== 0) k.copyStrided(weights, this.turned, groups, filters, 1, taps, taps * filters, 1, 0, filters);
    recycleTables(this.down, this.g);
    recycle(this.turned, this.bytes);
  }
}
