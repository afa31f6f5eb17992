/** Comparisons on a noisy machine: the contenders take turns, and what counts is the ratio within a turn. */

export interface Contender {
  name: string;
  /** Milliseconds of one step, measured over a few steps. */
  measure(): number | Promise<number>;
}

export interface Comparison {
  /** Median milliseconds of each contender, in their order. */
  medians: number[];
  /** Median over the rounds of (time of the contender) / (time of the first). */
  ratios: number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** Runs all contenders once a round, after two rounds that are not counted. */
export async function interleave(contenders: readonly Contender[], rounds: number): Promise<Comparison> {
  const times: number[][] = contenders.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const ms = await contender.measure();
      if (round >= 0) (times[i] as number[]).push(ms);
    }
  }
  const first = times[0] as number[];
  return {
    medians: times.map(median),
    ratios: times.map((list) => median(list.map((ms, round) => ms / (first[round] as number)))),
  };
}

/** Milliseconds a call of fn, over `calls` calls. */
export function timeOf(fn: () => void, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) fn();
  return (performance.now() - start) / calls;
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] as readonly string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] as number)).join("  ")).join("\n");
}
