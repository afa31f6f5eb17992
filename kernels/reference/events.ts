import { bitAt } from "./bits.ts";
import { at, put } from "./memory.ts";

export function overlaps(
  table: number,
  size: number,
  places: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  tapUnit: number,
  placeUnit: number,
): void {
  const over = (i: number, tap: number) => (i + padding - tap * dilation) / stride;
  const covers = (i: number, tap: number) =>
    Number.isInteger(over(i, tap)) && over(i, tap) >= 0 && over(i, tap) < places;
  let step = 1;
  while (!Number.isInteger((step * dilation) / stride)) step++;
  put(table, 0, size);
  for (let i = 0; i < size; i++) {
    const taps = Array.from({ length: kernel }, (_, tap) => tap).filter((tap) => covers(i, tap));
    const last = taps[taps.length - 1];
    put(table, 5 * i + 1, taps.length);
    put(table, 5 * i + 2, last === undefined ? 0 : -last * tapUnit);
    put(table, 5 * i + 3, step * tapUnit);
    put(table, 5 * i + 4, last === undefined ? 0 : over(i, last) * placeUnit);
    put(table, 5 * i + 5, ((step * dilation) / stride) * placeUnit);
  }
}

export function addEvents(
  maps: number,
  weights: number,
  bits: number,
  first: number,
  values: number,
  down: number,
  across: number,
  channels: number,
  kernel: number,
  filters: number,
  toWeights: number,
): void {
  const [height, width] = [at(down, 0), at(across, 0)];
  for (let i = 0; i < channels * height * width; i++) {
    if (bitAt(bits, first + i) === 0) continue;
    const value = values === 0 ? 1 : at(values, first + i);
    const y = down + 4 + 20 * (Math.floor(i / width) % height);
    const x = across + 4 + 20 * (i % width);
    // The taps are in reverse.
    const origin = weights + 4 * filters * ((channels - Math.floor(i / (height * width))) * kernel - 1);
    for (let r = 0; r < at(y, 0); r++) {
      for (let c = 0; c < at(x, 0); c++) {
        const tap = origin + at(y, 1) + r * at(y, 2) + at(x, 1) + c * at(x, 2);
        const place = maps + at(y, 3) + r * at(y, 4) + at(x, 3) + c * at(x, 4);
        const [to, from] = toWeights ? [tap, place] : [place, tap];
        for (let f = 0; f < filters; f++) put(to, f, at(to, f) + value * at(from, f));
      }
    }
  }
}

export function windowBits(
  z: number,
  bits: number,
  first: number,
  channels: number,
  rows: number,
  columns: number,
): void {
  const axis = (table: number) => [0, 1, 3, 4, 5].map((i) => at(table, i)) as [number, number, number, number, number];
  const [height, down, kh, strideDown, padDown] = axis(rows);
  const [width, across, kw, strideAcross, padAcross] = axis(columns);
  for (let u = 0; u < down; u++) {
    for (let v = 0; v < across; v++) {
      for (let c = 0; c < channels; c++) {
        let word = 0;
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const [y, x] = [u * strideDown + i - padDown, v * strideAcross + j - padAcross];
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            if (bitAt(bits, first + (c * height + y) * width + x) !== 0) word += 2 ** (i * kw + j);
          }
        }
        put(z, (u * across + v) * channels + c, word);
      }
    }
  }
}
