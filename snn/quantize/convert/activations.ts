/** Distribution of activations, and the scale that a normalisation takes from it. */

/** Histogram of numbers by the eight bits of their exponent and the first eight of their mantissa; a bin is 0.4 % wide. */
type Counts = (Uint32Array | undefined)[];

/** A bin between two numbers, with its count. */
type Bin = readonly [start: number, end: number, count: number];

/** Positive activations of a layer: a histogram and the maximum for each channel. */
export class Activations {
  private readonly counts: readonly Counts[];
  private readonly largest: Float32Array;

  constructor(channels: number) {
    this.counts = Array.from({ length: channels }, () => []);
    this.largest = new Float32Array(channels);
  }

  /** Adds activations [B, C, inner]. Returns whether all are finite. */
  add(values: Float32Array, inner: number): boolean {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const channels = this.counts.length;
    let sum = 0;
    for (let start = 0, channel = 0; start < values.length; start += inner, channel = (channel + 1) % channels) {
      const counts = this.counts[channel] as Counts;
      let largest = this.largest[channel] as number;
      for (let i = start; i < start + inner; i++) {
        const value = values[i] as number;
        sum += value;
        if (!(value > 0)) continue;
        if (value > largest) largest = value;
        const bin = (bits[i] as number) >>> 15;
        counts[bin >>> 8] ??= new Uint32Array(256);
        const octave = counts[bin >>> 8] as Uint32Array;
        octave[bin & 255] = (octave[bin & 255] as number) + 1;
      }
      this.largest[channel] = largest;
    }
    return Number.isFinite(sum);
  }

  /**
   * Scale of each channel, or of all of them: the activation that `percentile` per cent of the positive ones do not exceed; for 100, the
   * maximum. 1 if no activation is positive; a channel without positive ones has the scale of the layer.
   */
  scales(percentile: number, perChannel: boolean): Float64Array {
    const { counts, largest } = this;
    const all = percentileOf(binsOf(counts), Math.max(...largest), percentile) || 1;
    if (!perChannel) return Float64Array.of(all);
    return Float64Array.from(
      counts,
      (own, channel) => percentileOf(binsOf([own]), largest[channel] as number, percentile) || all,
    );
  }
}

/** Non-empty bins in ascending order, over these channels together. */
function binsOf(channels: readonly Counts[]): Bin[] {
  const bins: Bin[] = [];
  for (let exponent = 0; exponent < 256; exponent++) {
    const octaves = channels.map((counts) => counts[exponent]).filter((octave) => octave !== undefined);
    for (let i = 0; i < 256 && octaves.length > 0; i++) {
      const count = octaves.reduce((sum, octave) => sum + (octave[i] as number), 0);
      const bin = (exponent << 8) + i;
      if (count > 0) bins.push([startOf(bin), startOf(bin + 1), count]);
    }
  }
  return bins;
}

/** Lower end of a bin. */
const startOf = (bin: number): number => new Float32Array(Uint32Array.of(bin << 15).buffer)[0] as number;

/** The number that `percentile` per cent do not exceed, interpolated within its bin; 0 without values. */
function percentileOf(bins: readonly Bin[], largest: number, percentile: number): number {
  let above = (1 - percentile / 100) * bins.reduce((sum, [, , count]) => sum + count, 0);
  for (let i = bins.length - 1; i >= 0; i--) {
    const [start, end, count] = bins[i] as Bin;
    if (count > above) return Math.min(largest, end - ((end - start) * above) / count);
    above -= count;
  }
  return largest;
}
