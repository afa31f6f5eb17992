/** Kernels over images, planes and channels that threads share. */
import type { ExtraKernels } from "../../kernels/build/types.ts";
import * as conv from "../../kernels/conv-layout.ts";
import { integers, wordsAt } from "../backend.ts";
import type { Parts } from "./parts.ts";
import type { Kernel } from "./pool.ts";
import { gcd32 } from "./values.ts";

/** Values of maps that are turned for all threads before they take the gradient of weights from them. */
const SIDES = 1 << 20;
/** Values that are read once in the time of a window over bits, or of an addition at a place. */
const SLOW = 4;

/** The kernels of convolutions, pools and normalisation among `k`, of which those with much work are shared. */
export function sharedMaps(k: ExtraKernels, parts: Parts): Partial<ExtraKernels> {
  const { least, count } = parts;

  /** The words of a convolution's descriptor with these numbers. */
  const wordsOf = (g: number, ...numbers: readonly number[]): number[] => {
    const at = wordsAt(g, conv.words);
    return numbers.map((number) => integers[at + number] as number);
  };

  /** The work areas of all parts for a convolution, of which the main thread has one. */
  const areas = (g: number, work: number): number[] => {
    const [bytes] = wordsOf(g, conv.bytes) as [number];
    return Array.from({ length: count }, (_, part) => (part > 0 ? parts.work(part, bytes) : work));
  };

  /** Cuts images `first` to `end` of a convolution, in whole batches where there are many. */
  const byImages = (f: unknown, g: number, work: number, first: number, end: number, ...rest: number[]): void => {
    const [batch] = wordsOf(g, conv.batch) as [number];
    const n = end - first;
    const unit = n >= 2 * count * batch ? batch : 1;
    const area = areas(g, work);
    parts.run(f, (part) => {
      const [from, to] = [parts.first(part, n, unit), parts.first(part + 1, n, unit)];
      return [g, area[part] as number, first + from, first + to, ...rest];
    });
  };

  /** Multiplications and additions of a convolution of so many images, if all are done. */
  const productsOf = (g: number, images: number): number =>
    wordsOf(g, conv.groups, conv.filters, conv.taps, conv.places).reduce((product, n) => product * n, images);

  /** Values of the maps of so many images. */
  const mapsOf = (g: number, images: number): number =>
    wordsOf(g, conv.groups, conv.filters, conv.places).reduce((product, n) => product * n, images);

  /** Planes of so many values that become so many values, each at an address or at 0, for part after part. */
  const byPlanes = (f: unknown, planes: number, unit: number, argumentsOf: (from: number, n: number) => number[]) =>
    parts.run(f, (part) => {
      const from = parts.first(part, planes, unit);
      return argumentsOf(from, parts.first(part + 1, planes, unit) - from);
    });

  /** The sizes that tables of both axes tell: values of a plane, and windows over it. */
  const sizesOf = (down: number, across: number): readonly [size: number, windows: number] => {
    const [y, x] = [wordsAt(down, 2), wordsAt(across, 2)];
    const at = (i: number): number => integers[i] as number;
    return [at(y) * at(x), at(y + 1) * at(x + 1)];
  };

  /** The address of value i of an array, or 0 where there is none. */
  const moved = (array: number, i: number): number => (array === 0 ? 0 : array + 4 * i);

  const isFew = (planes: number, size: number, unit = 1): boolean =>
    planes < 2 * count * unit || planes * size < least.values;

  /** A kernel over groups, whose arguments are the addresses of an array for each of `arrays`, true for values of groups, then the sizes. */
  const byGroups = (f: unknown, arrays: readonly boolean[]): Kernel => {
    const at = arrays.length;
    return (...args) => {
      const [outer, groups, n] = args.slice(at) as [number, number, number];
      if (groups < count || outer * groups * n < least.values) return (f as Kernel)(...args);
      return parts.run(f, (part) => {
        const from = parts.first(part, groups);
        const own = arrays.map((hasValues, i) => moved(args[i] as number, hasValues ? from * n : from));
        return [...own, outer, parts.first(part + 1, groups) - from, n, groups];
      });
    };
  };

  return {
    convMaps(g, work, first, end) {
      if (end - first < count || productsOf(g, end - first) < least.products) return k.convMaps(g, work, first, end);
      byImages(k.convMaps, g, work, first, end);
    },
    convWeights(g, work, from, to) {
      const [total] = wordsOf(g, conv.total) as [number];
      if (to - from < 2 * count || productsOf(g, total) < least.products) return k.convWeights(g, work, from, to);
      const area = areas(g, work);
      const unit = to - from >= 8 * count ? 4 : 1;
      parts.run(k.convWeights, (part) => {
        const [first, last] = [parts.first(part, to - from, unit), parts.first(part + 1, to - from, unit)];
        return [g, area[part] as number, from + first, from + last];
      });
    },
    followMaps(g, work, first, end) {
      if (end - first < count || mapsOf(g, end - first) < least.values) return k.followMaps(g, work, first, end);
      byImages(k.followMaps, g, work, first, end);
    },
    spreadMaps(g, work, first, end, from, to, spreads) {
      const all = mapsOf(g, end - first);
      if (end - first < count || all < least.values) {
        return k.spreadMaps(g, work, first, end, from, to, spreads, 0, 0, 0);
      }
      if (from >= to) return byImages(k.spreadMaps, g, work, first, end, 0, 0, spreads, 0, 0, 0);
      // Events are followed by whole channels.
      const [follows, kernel, channels] = wordsOf(g, conv.follows, conv.kernel, conv.channels) as number[];
      const unit = follows === conv.EVENTS || (channels as number) >= count ? (kernel as number) : 1;
      const each = all / (end - first);
      const span = Math.min(end - first, Math.max(count, Math.floor(SIDES / each)));
      const sides = parts.work(count, 4 * span * each);
      const area = areas(g, work);
      for (let base = first; base < end; base += span) {
        const stop = Math.min(base + span, end);
        byImages(k.spreadMaps, g, work, base, stop, 0, 0, 1, sides, base, span);
        parts.run(k.spreadMaps, (part) => {
          const [low, high] = [parts.first(part, to - from, unit), parts.first(part + 1, to - from, unit)];
          return [
            g,
            area[part] as number,
            base,
            low < high ? stop : base,
            from + low,
            from + high,
            0,
            sides,
            base,
            span,
          ];
        });
      }
    },
    maxPool(z, place, x, down, across, planes) {
      const [size, windows] = sizesOf(down, across);
      if (isFew(planes, size)) return k.maxPool(z, place, x, down, across, planes);
      byPlanes(k.maxPool, planes, 1, (from, n) => [
        ...[moved(z, from * windows), moved(place, from * windows), moved(x, from * size)],
        ...[down, across, n],
      ]);
    },
    maxPoolBits(z, place, x, down, across, planes) {
      const [size, windows] = sizesOf(down, across);
      // Parts begin at words of both streams.
      const unit = 32 / Math.min(gcd32(size), z === 0 ? 32 : gcd32(windows));
      if (isFew(planes, SLOW * windows, unit)) return k.maxPoolBits(z, place, x, down, across, planes);
      byPlanes(k.maxPoolBits, planes, unit, (from, n) => [
        ...[moved(z, (from * windows) / 32), moved(place, from * windows), moved(x, (from * size) / 32)],
        ...[down, across, n],
      ]);
    },
    avgPool(z, x, down, across, planes) {
      const [size, windows] = sizesOf(down, across);
      if (isFew(planes, size)) return k.avgPool(z, x, down, across, planes);
      byPlanes(k.avgPool, planes, 1, (from, n) => [
        ...[moved(z, from * windows), moved(x, from * size), down, across, n],
      ]);
    },
    avgPoolGrad(dx, dz, down, across, planes) {
      const [size, windows] = sizesOf(down, across);
      if (isFew(planes, size)) return k.avgPoolGrad(dx, dz, down, across, planes);
      byPlanes(k.avgPoolGrad, planes, 1, (from, n) => [
        ...[moved(dx, from * size), moved(dz, from * windows), down, across, n],
      ]);
    },
    avgPoolBits(z, x, down, across, planes) {
      const [size, windows] = sizesOf(down, across);
      const unit = 32 / gcd32(size);
      if (isFew(planes, SLOW * windows, unit)) return k.avgPoolBits(z, x, down, across, planes);
      byPlanes(k.avgPoolBits, planes, unit, (from, n) => [
        ...[moved(z, from * windows), moved(x, (from * size) / 32), down, across, n],
      ]);
    },
    addAtPlaces(dx, dz, place, planes, size, n) {
      if (isFew(planes, SLOW * n)) return k.addAtPlaces(dx, dz, place, planes, size, n);
      byPlanes(k.addAtPlaces, planes, 1, (from, some) => [
        ...[moved(dx, from * size), moved(dz, from * n), moved(place, from * n), some, size, n],
      ]);
    },
    moments: byGroups(k.moments, [false, false, true]) as ExtraKernels["moments"],
    momentSums: byGroups(k.momentSums, [false, false, true, true, false]) as ExtraKernels["momentSums"],
    normalize: byGroups(k.normalize, [true, true, true, false]) as ExtraKernels["normalize"],
  };
}
