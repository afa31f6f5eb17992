/** Where the time of a step goes: the kernels in it, wrapped so that each call is timed. */
import { median } from "./interleave.ts";

/** What a kernel takes of a step. */
interface Spent {
  /** Share of the time. */
  readonly share: number;
  /** Its additions, as a share of those that the mul+add peak makes in this time; of kernels in `ADDITIONS`. */
  readonly peak?: number;
}

/** What the kernels of a step take. */
export interface Profile {
  /** Milliseconds of a step, including the cost of counting. */
  readonly step: number;
  /** By name, the largest share first. */
  readonly kernels: Readonly<Record<string, Spent>>;
}

type Kernel = (...args: number[]) => unknown;

/** A kernel in so many milliseconds and with so many additions. */
interface Sum {
  ms: number;
  additions: number;
}

const sums = new Map<string, Sum>();
let counting = false;
let memory: WebAssembly.Memory | undefined;

const word = (p: number): number => new DataView((memory as WebAssembly.Memory).buffer).getUint32(p, true);
const product = (m = 0, n = 0, k = 0): number => m * n * k;
/** m·n·k of the descriptor of a product, which are its words from number 2 on. */
const described = (p = 0): number => product(word(p + 8), word(p + 12), word(p + 16));

/** How many numbers a call adds to others, by its arguments: one for each non-zero that it follows and each column. */
const ADDITIONS: Readonly<Record<string, (...args: number[]) => number>> = {
  gemm: described,
  gemmGathered: described,
  gemmMasked: described,
  feedBack: described,
  gather: (p = 0) => product(word(p + 64), word(p + 12), 1),
  multiplyListed: (_c, lists = 0, _b, m = 0, n) => product((word(lists + 4 * m) - word(lists)) / 8, n, 1),
};

function counted(name: string, kernel: Kernel): Kernel {
  const additions = ADDITIONS[name];
  return (...args) => {
    if (!counting) return kernel(...args);
    const sum = sums.get(name) ?? { ms: 0, additions: 0 };
    sums.set(name, sum);
    sum.additions += additions?.(...args) ?? 0;
    const start = performance.now();
    const result = kernel(...args);
    sum.ms += performance.now() - start;
    return result;
  };
}

/** What is instantiated from here on has kernels that can be counted: to be called before the package is loaded. */
export function countKernels(): void {
  // Sweeps of compiled neurons have numbers for names.
  const titleOf = (name: string) => (/^\d+$/.test(name) ? "compiled" : name);
  const entryOf = ([name, value]: [string, unknown]) =>
    [name, typeof value === "function" ? counted(titleOf(name), value as Kernel) : value] as const;
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(Instance, args: [WebAssembly.Module, { env?: { memory?: WebAssembly.Memory } }?]) {
      memory = args[1]?.env?.memory ?? memory;
      const { exports } = new Instance(...(args as ConstructorParameters<typeof Instance>));
      return { exports: Object.fromEntries(Object.entries(exports).map(entryOf)) };
    },
  });
}

/** Steps that are counted at least. */
const LEAST = 3;

/**
 * Runs steps for so many milliseconds to warm up, then as long to count. `prepare` runs before each and does not count, nor
 * does `peak`, which measures how many additions the processor makes in a millisecond.
 */
export function profileOf(step: () => void, peak: () => number, prepare = () => {}, duration = 1000): Profile {
  for (const start = performance.now(); performance.now() - start < duration; ) {
    prepare();
    step();
    peak();
  }
  sums.clear();
  const peaks: number[] = [];
  let ms = 0;
  let steps = 0;
  for (; ms < duration || steps < LEAST; steps++) {
    prepare();
    counting = true;
    const start = performance.now();
    step();
    ms += performance.now() - start;
    counting = false;
    peaks.push(peak());
  }
  const most = median(peaks);
  const spent = [...sums].sort(([, a], [, b]) => b.ms - a.ms).map(([name, sum]) => [name, spentOf(sum, ms, most)]);
  return { step: ms / steps, kernels: Object.fromEntries(spent) };
}

function spentOf(sum: Sum, ms: number, peak: number): Spent {
  const share = sum.ms / ms;
  return sum.additions === 0 ? { share } : { share, peak: sum.additions / sum.ms / peak };
}
