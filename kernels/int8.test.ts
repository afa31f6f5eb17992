import { describe, expect, test } from "vitest";
import { memory } from "../engine/core/wasm.ts";
import { int8Kernels } from "../engine/int8-kernels.ts";
import { numbers, onWasm, type WasmSide } from "../test/support/sides.ts";

/** n reproducible integers in [low, high]. */
const integers = (n: number, seed: number, low = -128, high = 127): number[] =>
  numbers(n, seed, low, high + 1).map(Math.floor);

/** n bits, about `density` of which are set. */
const spikes = (n: number, seed: number, density: number): number[] =>
  numbers(n, seed, 0, 1).map((u) => (u < density ? 1 : 0));

/** Number of columns in all panels. */
const columnsOf = (outputs: number): number =>
  outputs % 64 > 32 ? Math.ceil(outputs / 64) * 64 : Math.ceil(outputs / 16) * 16;

/** The panels of Q [in, out] in the layout of the kernels. */
function putPanels(side: WasmSide, q: readonly number[], inputs: number, outputs: number): number {
  const columns = columnsOf(outputs);
  const p = side.zeros((inputs * columns) / 4);
  const bytes = new Int8Array(memory.buffer, p, inputs * columns);
  let from = 0;
  while (from < outputs) {
    const left = outputs - from;
    const width = left > 32 ? 64 : 16;
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < Math.min(width, left); j++) {
        const group = from * inputs + i * width + (j & ~15);
        const value = q[i * outputs + from + j] as number;
        // The low one of a pair has the offset 128.
        if ((j & 8) === 0) bytes[group + 2 * (j & 7)] = value + 128;
        else bytes[group + 2 * (j & 7) + 1] = value;
      }
    }
    from += width;
  }
  return p;
}

/** Scales and biases, padded to the width of the panels. */
function putFactors(side: WasmSide, scale: readonly number[], bias: readonly number[]): number {
  const columns = columnsOf(scale.length);
  const p = side.zeros(2 * columns);
  const view = new Float32Array(memory.buffer, p, 2 * columns);
  view.set(scale);
  view.set(bias, columns);
  return p;
}

interface Case {
  readonly inputs: number;
  readonly outputs: number;
  readonly steps: number;
  readonly rows: number;
  readonly x: readonly number[];
  readonly q: readonly number[];
}

const scalesOf = ({ outputs }: Case): number[] => numbers(outputs, 11, 0.001, 0.02).map(Math.fround);
const biasesOf = ({ outputs }: Case): number[] => numbers(outputs, 12, -1, 1).map(Math.fround);

/** Σ x·q of each row, exact in float64. */
function sumsOf({ inputs, outputs, steps, rows, x, q }: Case): number[] {
  return Array.from({ length: steps * rows * outputs }, (_, at) => {
    const [row, o] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += (x[row * inputs + i] as number) * (q[i * outputs + o] as number);
    return sum;
  });
}

/** scale·sum + bias with the roundings of float32. */
const scaledOf = (given: Case, sums: readonly number[]): number[] => {
  const [scale, bias] = [scalesOf(given), biasesOf(given)];
  return sums.map((sum, at) => {
    const o = at % given.outputs;
    return Math.fround(Math.fround(Math.fround(sum) * (scale[o] as number)) + (bias[o] as number));
  });
};

/** The product by the kernels for spikes, in `calls` consecutive calls. */
function product(given: Case, calls = 1): number[] {
  const { inputs, outputs, steps, rows, x, q } = given;
  return onWasm((side) => {
    const kernels = int8Kernels();
    const words = Math.ceil(inputs / 32);
    const panels = putPanels(side, q, inputs, outputs);
    const factors = putFactors(side, scalesOf(given), biasesOf(given));
    const bits = side.bitsOf(x, inputs);
    const before = side.zeros(rows * words);
    const sums = side.zeros(rows * columnsOf(outputs));
    const z = side.zeros(steps * rows * outputs);
    const part = steps / calls;
    for (let call = 0; call < calls; call++) {
      const from = bits + 4 * call * part * rows * words;
      const set = x.slice(call * part * rows * inputs, (call + 1) * part * rows * inputs).filter((v) => v === 1).length;
      const lists = side.zeros(2 * part * rows + 1 + set + 8);
      kernels.listChanges(lists, from, before, part, rows, words);
      kernels.addListed(
        z + 4 * call * part * rows * outputs,
        lists,
        sums,
        panels,
        factors,
        part,
        rows,
        inputs,
        outputs,
        0,
        rows,
      );
    }
    return side.read(z, steps * rows * outputs);
  });
}

const SIZES: readonly (readonly [inputs: number, outputs: number, steps: number, rows: number])[] = [
  [1, 1, 1, 1],
  [5, 3, 2, 2],
  [31, 15, 3, 1],
  [32, 16, 2, 3],
  [33, 17, 4, 2],
  [64, 33, 3, 2],
  [70, 48, 2, 1],
  [65, 49, 3, 2],
  [100, 64, 4, 1],
  [40, 65, 2, 2],
  [97, 112, 3, 1],
  [129, 130, 2, 3],
  [784, 1000, 4, 1],
  [1000, 10, 6, 2],
];

describe("int8: sums of integers are exact", () => {
  for (const density of [0, 0.02, 0.3, 0.9, 1]) {
    test(`of ${100 * density} % spikes, at all sizes, in one call and step by step`, () => {
      for (const [inputs, outputs, steps, rows] of SIZES) {
        const x = spikes(steps * rows * inputs, 3, density);
        const given = { inputs, outputs, steps, rows, x, q: integers(inputs * outputs, 4) };
        const expected = scaledOf(given, sumsOf(given));
        expect(product(given)).toEqual(expected);
        expect(product(given, steps)).toEqual(expected);
      }
    });
  }

  test("of spikes that stay, that stop and that begin", () => {
    const [inputs, outputs] = [300, 80];
    const first = spikes(inputs, 5, 0.5);
    // Eight steps: equal, a few differences, none, all, all but one, the first again.
    const few = first.map((v, i) => (i % 40 === 0 ? 1 - v : v));
    const all = first.map(() => 1);
    const steps = [first, first, few, all.map(() => 0), all, all.map((_, i) => (i === 7 ? 0 : 1)), first, few];
    const given = { inputs, outputs, steps: 8, rows: 1, x: steps.flat(), q: integers(inputs * outputs, 6) };
    expect(product(given)).toEqual(scaledOf(given, sumsOf(given)));
    expect(product(given, 4)).toEqual(scaledOf(given, sumsOf(given)));
  });

  for (const value of [-128, -127, 127]) {
    test(`of thousands of rows of ${value}, added and taken away`, () => {
      for (const inputs of [255, 256, 257, 510, 511, 5000]) {
        const outputs = 70;
        const all = new Array<number>(inputs).fill(1);
        // From all to a few, so that most are subtracted, and the reverse.
        const some = all.map((_, i) => (i % 3 === 0 ? 1 : 0));
        const most = all.map((_, i) => (i % 3 === 0 ? 0 : 1));
        const steps = [all, most, some, all, some, most, all.map((_, i) => (i < 10 ? 0 : 1))];
        const given = {
          inputs,
          outputs,
          steps: 7,
          rows: 1,
          x: steps.flat(),
          q: all.flatMap(() => new Array(outputs).fill(value)),
        };
        expect(product(given)).toEqual(scaledOf(given, sumsOf(given)));
        expect(product(given, 7)).toEqual(scaledOf(given, sumsOf(given)));
      }
    });
  }

  test("of extremes side by side, which would carry into each other", () => {
    const [inputs, outputs] = [700, 64];
    const q = Array.from({ length: inputs * outputs }, (_, at) => ((at & 8) === 0 ? 127 : -128));
    for (const flipped of [q, q.map((v) => -1 - v)]) {
      const x = [...spikes(inputs, 8, 1), ...spikes(inputs, 9, 0.6), ...spikes(inputs, 10, 0.5)];
      const given = { inputs, outputs, steps: 3, rows: 1, x, q: flipped };
      expect(product(given)).toEqual(scaledOf(given, sumsOf(given)));
    }
  });
});

test("int8: a list of changes is never longer than the spikes of its row", () => {
  const [inputs, steps, rows] = [90, 5, 3];
  const x = spikes(steps * rows * inputs, 13, 0.5);
  const listed = onWasm((side) => {
    const words = Math.ceil(inputs / 32);
    const lists = side.zeros(2 * steps * rows + 1 + x.length + 8);
    int8Kernels().listChanges(lists, side.bitsOf(x, inputs), side.zeros(rows * words), steps, rows, words);
    return side.readWords(lists, 2 * steps * rows + 1);
  });
  for (let row = 0; row < steps * rows; row++) {
    const begin = (listed[2 * row] as number) & ~1;
    const end = (listed[2 * row + 2] as number) & ~1;
    const own = x.slice(row * inputs, (row + 1) * inputs).filter((v) => v === 1).length;
    expect((end - begin) / 4).toBeLessThanOrEqual(own);
  }
});

test("int8: the bits of the last step are kept for the next call, which finds no change in them", () => {
  const [inputs, steps, rows] = [90, 2, 3];
  const words = Math.ceil(inputs / 32);
  const x = spikes(steps * rows * inputs, 18, 0.5);
  onWasm((side) => {
    const lists = side.zeros(2 * steps * rows + 1 + x.length + 8);
    const [bits, before] = [side.bitsOf(x, inputs), side.zeros(rows * words)];
    const last = bits + 4 * (steps - 1) * rows * words;
    int8Kernels().listChanges(lists, bits, before, steps, rows, words);
    expect(side.readWords(before, rows * words)).toEqual(side.readWords(last, rows * words));
    int8Kernels().listChanges(lists, last, before, 1, rows, words);
    const begin = lists + 4 * (2 * rows + 1);
    expect(side.readWords(lists, 2 * rows + 1)).toEqual(new Array(2 * rows + 1).fill(begin));
  });
});

test("int8: values are multiplied with integers in float32, in the order of the inputs", () => {
  for (const [inputs, outputs, steps, rows] of SIZES) {
    const set = spikes(steps * rows * inputs, 14, 0.4);
    const x = numbers(steps * rows * inputs, 15).map((v, i) => (set[i] === 1 ? Math.fround(v) : 0));
    const given = { inputs, outputs, steps, rows, x, q: integers(inputs * outputs, 16) };
    const sums = Array.from({ length: steps * rows * outputs }, (_, at) => {
      const [row, o] = [Math.floor(at / outputs), at % outputs];
      let sum = 0;
      for (let i = 0; i < inputs; i++) {
        sum = Math.fround(sum + Math.fround((x[row * inputs + i] as number) * (given.q[i * outputs + o] as number)));
      }
      return sum;
    });
    const z = onWasm((side) => {
      const panels = putPanels(side, given.q, inputs, outputs);
      const factors = putFactors(side, scalesOf(given), biasesOf(given));
      const lists = side.zeros(steps * rows + 1 + 2 * x.filter((v) => v !== 0).length);
      const to = side.zeros(steps * rows * outputs);
      int8Kernels().listGraded(lists, side.bitsOf(x, inputs), side.put(x), steps * rows, inputs);
      int8Kernels().addGraded(to, lists, panels, factors, steps * rows, inputs, outputs);
      return side.read(to, steps * rows * outputs);
    });
    expect(z).toEqual(scaledOf(given, sums));
  }
});

/** Size, kernel, stride, padding and dilation of an axis. */
type AxisSizes = readonly [size: number, kernel: number, stride: number, padding: number, dilation: number];

const WINDOWS: readonly (readonly [channels: number, rows: AxisSizes, columns: AxisSizes])[] = [
  [1, [1, 1, 1, 0, 1], [1, 1, 1, 0, 1]],
  [2, [5, 3, 1, 0, 1], [6, 3, 1, 0, 1]],
  [3, [5, 3, 1, 1, 1], [7, 2, 2, 1, 1]],
  [2, [9, 3, 2, 2, 2], [8, 3, 1, 3, 2]],
  [1, [1, 1, 1, 0, 1], [70, 40, 3, 5, 1]],
  [2, [2, 2, 1, 0, 1], [40, 35, 1, 20, 2]],
  [5, [4, 4, 1, 3, 1], [33, 5, 1, 4, 1]],
];

test("int8: the bits and the values under windows are those of a loop", () => {
  for (const [channels, rows, columns] of WINDOWS) {
    const placesOf = ([size, kernel, stride, padding, dilation]: AxisSizes): number =>
      Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
    const [height, kh] = rows;
    const [width, kw] = columns;
    const [down, across] = [placesOf(rows), placesOf(columns)];
    const taps = channels * kh * kw;
    const first = 13;
    const image = spikes(channels * height * width, 17, 0.5);
    const at = (c: number, y: number, x: number): number =>
      y < 0 || y >= height || x < 0 || x >= width ? 0 : (image[(c * height + y) * width + x] as number);
    const expected: number[] = [];
    for (let u = 0; u < down; u++) {
      for (let v = 0; v < across; v++) {
        for (let c = 0; c < channels; c++) {
          for (let i = 0; i < kh; i++) {
            for (let j = 0; j < kw; j++) {
              expected.push(at(c, u * rows[2] + i * rows[4] - rows[3], v * columns[2] + j * columns[4] - columns[3]));
            }
          }
        }
      }
    }
    const found = onWasm((side) => {
      const words = Math.ceil(taps / 32);
      const axes = side.putInts([rows, columns].flatMap((axis) => [axis[0], placesOf(axis), ...axis.slice(1)]));
      const bits = side.zeros(down * across * words);
      const values = side.zeros(down * across * taps);
      // One word after a stream may be read.
      const stream = side.bitsOf([...new Array(first).fill(1), ...image, ...new Array(64).fill(1)]);
      int8Kernels().lookUnder(bits, 0, stream, first, channels, axes);
      int8Kernels().lookUnder(values, side.put([0, 0, ...image]), 0, 2, channels, axes);
      const under = side.readWords(bits, down * across * words);
      const rowsOfBits = Array.from({ length: down * across }, (_, row) =>
        Array.from({ length: 32 * words }, (_, t) => ((under[row * words + (t >> 5)] as number) >>> (t & 31)) & 1),
      );
      // Bits after the last tap are 0.
      expect(rowsOfBits.flatMap((row) => row.slice(taps)).indexOf(1)).toBe(-1);
      return { bits: rowsOfBits.flatMap((row) => row.slice(0, taps)), values: side.read(values, down * across * taps) };
    });
    expect(found.bits).toEqual(expected);
    expect(found.values).toEqual(expected);
  }
});
