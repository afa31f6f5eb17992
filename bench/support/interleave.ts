/** Comparisons on a noisy machine: the contenders take turns, and what counts is the ratio within a turn. */
import { Bench } from "tinybench";

export interface Contender {
  readonly name: string;
  /** Milliseconds of one step. */
  measure(): number | Promise<number>;
}

/** The length of a warm-up, whose times do not count: for each contender a least number of turns, and of milliseconds. */
export interface WarmUp {
  readonly turns: number;
  readonly ms: number;
}

/** A second, in which engines optimise the code. */
export const WARM_UP: WarmUp = { turns: 2, ms: 1000 };

/** Where one turn takes so long that engines have optimised the code in the smallest part of it. */
export const NO_WARM_UP: WarmUp = { turns: 0, ms: 0 };

/** The times of the contenders, by name and round. */
export class Comparison {
  private readonly times: ReadonlyMap<string, readonly number[]>;

  constructor(times: ReadonlyMap<string, readonly number[]>) {
    this.times = times;
  }

  /** Median milliseconds, by name. */
  medians(...names: readonly string[]): Record<string, number> {
    return Object.fromEntries(names.map((name) => [name, median(this.of(name))]));
  }

  /** How many times longer `slow` takes than `fast`: the median over the rounds. */
  ratio(slow: string, fast: string): number {
    const others = this.of(fast);
    return median(this.of(slow).map((ms, round) => ms / (others[round] as number)));
  }

  private of(name: string): readonly number[] {
    const times = this.times.get(name);
    if (times === undefined) throw new RangeError(`bench: expected one of ${[...this.times.keys()]}, got ${name}`);
    return times;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** Runs all contenders once a round, in every other round in reverse, so that a machine that slows down favours none. */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  warmUp = WARM_UP,
): Promise<Comparison> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) {
    const start = performance.now();
    for (let turn = 0; turn < warmUp.turns || performance.now() - start < warmUp.ms; turn++) await contender.measure();
  }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) times.get(contender.name)?.push(await contender.measure());
  }
  return new Comparison(times);
}

/** Milliseconds of a turn of steps: every contender takes as many as fill this, at least one. */
const TURN = 100;

/** A contender that takes steps: `run` takes so many and says how long one took, on average. */
export function steps(name: string, run: (count: number) => number | Promise<number>, turnMs = TURN): Contender {
  let count = 1;
  return {
    name,
    async measure() {
      const ms = await run(count);
      count = Math.max(1, Math.round(turnMs / ms));
      return ms;
    },
  };
}

export interface CallOptions {
  /** Calls that are timed as one, because the clock cannot see a single one. Default 1. */
  readonly repeat?: number;
  /** Runs before every measurement, untimed. */
  readonly prepare?: () => void;
  /** Length of a turn. Default 20. */
  readonly sliceMs?: number;
}

/** A contender that calls fn as often as its turn allows; the median call counts. */
export function calls(name: string, fn: () => void, options: CallOptions = {}): Contender {
  const { repeat = 1, prepare = () => {}, sliceMs = 20 } = options;
  const repeated = () => {
    for (let i = 0; i < repeat; i++) fn();
  };
  return {
    name,
    measure() {
      const bench = new Bench({ time: sliceMs, iterations: 1, warmup: false, throws: true });
      const [task] = bench.add(name, repeated, { beforeEach: prepare }).runSync();
      if (task?.result.state !== "completed") throw new Error(`bench: ${name} did not complete`);
      return task.result.latency.p50 / repeat;
    },
  };
}
