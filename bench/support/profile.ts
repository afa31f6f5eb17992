/** Where the time of a step goes: the kernels in it, wrapped so that each call is timed. */

/** What the kernels of a step take, by name. */
export interface Profile {
  /** Milliseconds of a step, including the cost of counting. */
  readonly step: number;
  /** Shares of it, the largest first. */
  readonly kernels: Readonly<Record<string, number>>;
}

const spent = new Map<string, number>();
let counting = false;

type Kernel = (...args: number[]) => unknown;

function counted(name: string, kernel: Kernel): Kernel {
  return (...args) => {
    if (!counting) return kernel(...args);
    const start = performance.now();
    const result = kernel(...args);
    spent.set(name, (spent.get(name) ?? 0) + performance.now() - start);
    return result;
  };
}

/** What is instantiated from here on has kernels that can be counted: to be called before the package is loaded. */
export function countKernels(): void {
  const entryOf = ([name, value]: [string, unknown]) =>
    [name, typeof value === "function" ? counted(name, value as Kernel) : value] as const;
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(Instance, args: [WebAssembly.Module, WebAssembly.Imports]) {
      return { exports: Object.fromEntries(Object.entries(new Instance(...args).exports).map(entryOf)) };
    },
  });
}

/** Steps that are counted at least. */
const LEAST = 3;

/** Runs steps for so many milliseconds to warm up, then as long to count; `prepare` runs before each and does not count. */
export function profileOf(step: () => void, prepare = () => {}, duration = 1000): Profile {
  for (const start = performance.now(); performance.now() - start < duration; ) {
    prepare();
    step();
  }
  spent.clear();
  let ms = 0;
  let steps = 0;
  for (; ms < duration || steps < LEAST; steps++) {
    prepare();
    counting = true;
    const start = performance.now();
    step();
    ms += performance.now() - start;
    counting = false;
  }
  const shares = [...spent].sort(([, a], [, b]) => b - a).map(([name, time]) => [name, time / ms]);
  return { step: ms / steps, kernels: Object.fromEntries(shares) };
}
