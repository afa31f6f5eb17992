/**
 * Convolutions of spikes as products that follow them: each place of a window gets a row of bits, those under it, and the
 * transposed rows serve the gradient of the weights.
 */
import { extra, k } from "../backend.ts";
import { describeProduct, follow } from "../products.ts";
import { recycle } from "../scope.ts";
import { type Axis, bytesOfParts, carve, Follower, makeTables, recycleTables, tableBytes } from "./windows.ts";

/** Places of windows whose rows are made at a time. */
const PLACES = 512;

/** Whether `windowBits` takes such images. */
export function fitsWords(down: Axis, across: Axis): boolean {
  const height = down.size + 2 * down.padding;
  const width = across.size + 2 * across.padding;
  const small = down.kernel * across.kernel <= 32 && across.size <= 32 && height <= 64 && width <= 64;
  return small && 3 * across.stride + across.kernel <= 32 && down.dilation === 1 && across.dilation === 1;
}

/** The spikes under every window as rows of bits, a word a channel; the weights as [32·channels, filters], with gaps. */
export class SpikeWindows extends Follower {
  /** Images of a batch; rows for all of their places, and the same by taps. */
  private readonly batch = Math.max(1, Math.min(this.count, Math.floor(PLACES / this.g.places)));
  private rows = 0;
  private columns = 0;
  /** Maps with the filters innermost. */
  private side = 0;
  /** The cells that windows cover, as `makeTables` tells. */
  private tables = 0;

  begin(weights: number): void {
    const { groups, channels, filters, kernel, taps, places } = this.g;
    const most = this.batch * places;
    const words = [
      groups * 32 * channels * filters,
      most * channels,
      32 * channels * Math.ceil(most / 32),
      most * filters,
    ] as const;
    this.bytes = bytesOfParts(words);
    [this.turned, this.rows, this.columns, this.side] = carve(words);
    this.tables = makeTables(this.g);
    for (let c = 0; c < groups * channels; c++) {
      const from = weights + 4 * (Math.floor(c / channels) * filters * channels + (c % channels)) * kernel;
      k.copyStrided(this.turned + 4 * c * 32 * filters, from, 1, 1, kernel, filters, 0, 0, 1, taps);
    }
  }

  writeMaps(maps: number, bias: number): void {
    const { turned, rows, side } = this;
    const { groups, channels, filters, places } = this.g;
    const depth = 32 * channels;
    for (let first = 0; first < this.count; first += this.batch) {
      const count = Math.min(this.batch, this.count - first);
      const m = count * places;
      for (let i = 0; i < groups; i++) {
        const found = this.findSpikes(first, count, i);
        const w = turned + 4 * i * depth * filters;
        const start = bias === 0 ? 0 : bias + 4 * i * filters;
        describeProduct(side, start, 0, w, m, filters, depth);
        follow(rows, found, m, false);
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
    const { channels, filters, places } = this.g;
    const depth = 32 * channels;
    const w = turned + 4 * group * depth * filters;
    for (let done = 0; done < count; done += batch) {
      const some = Math.min(batch, count - done);
      const m = some * places;
      const found = this.findSpikes(first + done, some, group);
      k.transposeBits(columns, rows, m, depth);
      const from = maps + 4 * done * places * filters;
      describeProduct(w, w, 0, from, depth, filters, m);
      follow(columns, found, depth, false);
    }
  }

  /** Makes the rows of a group of channels of some images, and says how many bits they have. */
  private findSpikes(first: number, count: number, group: number): number {
    const { rows, images, tables } = this;
    const { groups, channels, y, places, size } = this.g;
    const across = tables + tableBytes(y);
    for (let j = 0; j < count; j++) {
      const from = ((first + j) * groups + group) * channels * size;
      extra().windowBits(rows + 4 * j * places * channels, images.bits, from, channels, tables, across);
    }
    return k.countBits(rows, count * places * channels);
  }

  end(weights: number): void {
    const { groups, channels, filters, kernel, taps } = this.g;
    const depth = 32 * channels;
    if (weights !== 0) {
      for (let i = 0; i < groups; i++) {
        const to = weights + 4 * i * filters * taps;
        const from = this.turned + 4 * i * depth * filters;
        k.copyStrided(to, from, 1, filters, channels, kernel, 0, 1, 32 * filters, filters);
      }
    }
    recycleTables(this.tables, this.g);
    recycle(this.turned, this.bytes);
  }
}
