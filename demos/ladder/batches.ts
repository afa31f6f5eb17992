/** Batches that the toy is trained on. */
import { type Generator, rand } from "jarvis-snn";
import { TOY } from "./rung.ts";

export interface Batch {
  readonly x: Float32Array;
  readonly y: Uint8Array;
}

/** Rows of random features; the class is whether a weighted sum of them, later ones with larger weights, is positive. */
export function toyBatch(rows: number, generator: Generator): Batch {
  const { inputs } = TOY;
  const x = rand([rows, inputs], { generator }).toFloat32Array();
  const y = Uint8Array.from({ length: rows }, (_, b) => {
    let score = 0;
    for (let f = 0; f < inputs; f++) score += (x[b * inputs + f] as number) * (f - (inputs - 1) / 2);
    return score > 0 ? 1 : 0;
  });
  return { x, y };
}
