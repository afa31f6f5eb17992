/** nano and the package side by side: from one seed, on the same batches, in turns. */
import { DataLoader, Generator } from "jarvis-snn";
import { toyData } from "../toy/data.ts";
import { toy } from "./nano.ts";
import { equalWeights, packaged } from "./packaged.ts";

/** Samples of a batch. */
const B = 128;

/** A value of nano, and one of the package. */
export interface Both {
  nano: number;
  package: number;
}

export interface SideBySide {
  readonly nano: ReturnType<typeof toy>;
  readonly package: ReturnType<typeof packaged>;
  readonly test: ReturnType<typeof toyData>["test"];
  /** Milliseconds of all steps so far. */
  readonly ms: Both;
  /** Trains both on the next batch, and returns their losses. */
  step(): Both;
  /** How many weights have the same bits, and how many there are. */
  equal(): ReturnType<typeof equalWeights>;
}

/** Seeds the default generator. `seed` is that of weights, order and spikes, `dataSeed` that of the samples. */
export function sideBySide(seed: number, dataSeed: number): SideBySide {
  const { train, test } = toyData(dataSeed);
  const generator = new Generator(seed + 1);
  const loader = new DataLoader(train, { batchSize: B, shuffle: true, dropLast: true, generator });
  const [nano, other] = [toy(seed), packaged(seed)];
  const ms = { nano: 0, package: 0 };
  const batches = endless(loader);

  function timed(who: keyof Both, step: () => number): number {
    const start = performance.now();
    const loss = step();
    ms[who] += performance.now() - start;
    return loss;
  }

  function step(): Both {
    const { x, y } = batches.next().value;
    return { nano: timed("nano", () => nano.step(x, y)), package: timed("package", () => other.step(x, y)) };
  }

  return { nano, package: other, test, ms, step, equal: () => equalWeights(nano, other) };
}

/** Epoch after epoch of the loader. */
function* endless(loader: DataLoader<Int32Array>): IterableIterator<{ x: Float32Array; y: Int32Array }, never> {
  for (;;) for (const { x, y } of loader) yield { x: x.toFloat32Array(), y };
}
