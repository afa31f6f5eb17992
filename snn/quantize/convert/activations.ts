/** The distribution of activations, and the scale that a normalisation takes from them. */

/** Float32 numbers that share sign, exponent and the first eight bits of the mantissa share a bin, which is 0.4 % wide or less. */
const SHIFT = 15;
/** Bins from 2⁻²⁴ to 2²⁴; smaller and larger numbers are in the first and in the last one. */
const [LOW, HIGH] = [(127 - 24) << 8, ((127 + 24) << 8) - 1] as const;

/** How the scale of a layer or channel is chosen. */
export type Mode = "max" | "percentile" | "error";

/** A rule for the scale: the percentile, or the steps and the initial potential whose error is made small. */
export interface Rule {
  readonly mode: Mode;
  /** In (0, 100]. */
  readonly percentile: number;
  readonly timesteps: number;
  readonly initial: number;
}

/** Positive activations of a layer: how many there are in each bin, and the largest, for each channel. */
export class Activations {
  private readonly counts: readonly Uint32Array[];
  private readonly largest: Float32Array;

  constructor(channels: number) {
    this.counts = Array.from({ length: channels }, () => new Uint32Array(HIGH - LOW + 1));
    this.largest = new Float32Array(channels);
  }

  /** Adds activations [B, C, inner]. Returns whether all are finite. */
  add(values: Float32Array, inner: number): boolean {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const channels = this.counts.length;
    let total = 0;
    for (let at = 0, channel = 0; at < values.length; at += inner, channel = (channel + 1) % channels) {
      const counts = this.counts[channel] as Uint32Array;
      let largest = this.largest[channel] as number;
      for (let i = at; i < at + inner; i++) {
        const value = values[i] as number;
        total += value;
        if (!(value > 0)) continue;
        if (value > largest) largest = value;
        const bin = Math.min(Math.max((bits[i] as number) >>> SHIFT, LOW), HIGH) - LOW;
        counts[bin] = (counts[bin] as number) + 1;
      }
      this.largest[channel] = largest;
    }
    return Number.isFinite(total);
  }

  /** The scale of each channel, or one for all of them; 1 where no activation is positive, and that of the layer for such a channel. */
  scales(rule: Rule, perChannel: boolean): Float64Array {
    const { counts, largest } = this;
    const all = scaleOf(sumOf(counts), Math.max(...largest), rule) || 1;
    if (!perChannel) return Float64Array.of(all);
    return Float64Array.from(counts, (each, channel) => scaleOf(each, largest[channel] as number, rule) || all);
  }
}

function sumOf(counts: readonly Uint32Array[]): Float64Array {
  const sum = new Float64Array(HIGH - LOW + 1);
  for (const each of counts) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (each[i] as number);
  return sum;
}

type Counts = ArrayLike<number>;

/** The scale for activations with these counts, 0 for none. */
function scaleOf(counts: Counts, largest: number, rule: Rule): number {
  if (largest === 0 || rule.mode === "max") return largest;
  return rule.mode === "percentile"
    ? Math.min(largest, percentileOf(counts, rule.percentile))
    : leastError(counts, largest, rule);
}

/** The least number of a bin. */
const startOf = (bin: number): number => {
  FLOAT_BITS[0] = (bin + LOW) << SHIFT;
  return FLOAT[0] as number;
};
const FLOAT_BITS = /* @__PURE__ */ new Uint32Array(1);
const FLOAT = /* @__PURE__ */ new Float32Array(FLOAT_BITS.buffer);

/** The value that so many per cent of the activations do not exceed, between the ends of its bin in proportion. */
function percentileOf(counts: Counts, percentile: number): number {
  let above = 0;
  for (let bin = 0; bin < counts.length; bin++) above += (1 - percentile / 100) * (counts[bin] as number);
  for (let bin = counts.length - 1; ; bin--) {
    const count = counts[bin] as number;
    if (count > above || bin === 0) return startOf(bin + 1) - (startOf(bin + 1) - startOf(bin)) * (above / count || 0);
    above -= count;
  }
}

/** Scales that are tried: the largest activation, and smaller ones by a ratio each. */
const TRIED = 64;
const RATIO = 0.96;

/** The scale λ for which clamp(⌊T·a/λ + initial⌋, 0, T)·λ/T is closest to the activations a, in the mean of the squares. */
function leastError(counts: Counts, largest: number, { timesteps, initial }: Rule): number {
  const bins: [value: number, count: number][] = [];
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    if (count > 0) bins.push([(startOf(bin) + startOf(bin + 1)) / 2, count]);
  }
  let [best, least] = [largest, Infinity];
  for (let i = 0, scale = largest; i < TRIED; i++, scale *= RATIO) {
    const unit = scale / timesteps;
    let error = 0;
    for (const [value, count] of bins) {
      const given = Math.min(timesteps, Math.floor(value / unit + initial)) * unit;
      error += count * (value - given) * (value - given);
    }
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}
