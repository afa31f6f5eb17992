/** Derivatives of a peer's surrogates on a grid of x = u − θ, and the spikes there. */
import { type Fire, mul, type Surrogate, spike, sum } from "jarvis-snn";
import { expectClose, expectSpikes, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

export interface Entry extends NamedEntry {
  readonly kwargs?: Readonly<Record<string, number>>;
  readonly attrs?: Readonly<Record<string, number>>;
  readonly alpha?: number;
  readonly out: GoldenTensor;
  readonly grad_ones: GoldenTensor;
  readonly grad_upstream?: GoldenTensor;
}

interface Content {
  readonly grid: GoldenTensor;
  readonly upstream?: GoldenTensor;
  readonly entries: readonly Entry[];
}

export interface Suite {
  readonly file: string;
  readonly reads: readonly string[];
  readonly leftOut: Readonly<Record<string, string>>;
  readonly fire: Fire;
  /** Throws on a name or a parameter that it does not know. */
  readonly surrogateOf: (entry: Entry) => Surrogate;
}

/** The exponential is good to 3·10⁻⁶, and far below 10⁻⁶ a gradient is 0 for all that matters. */
const DERIVATIVE: Tolerance = { absolute: 1e-6, relative: 1e-5 };

export function surrogateSuite({ fire, surrogateOf, ...suite }: Suite): void {
  goldenSuite<Content, Entry>({
    ...suite,
    entries: ({ entries }) => entries,
    run(entry, { grid, upstream }) {
      const surrogate = surrogateOf(entry);
      const compare = (factor: GoldenTensor | undefined, expected: GoldenTensor): void => {
        const x = toTensor(grid, true);
        const s = spike(x, { threshold: 0, surrogate, fire });
        expectSpikes(`${entry.name}: spikes`, s, entry.out);
        sum(factor === undefined ? s : mul(s, toTensor(factor))).backward();
        if (x.grad === null) throw new Error(`${entry.name}: expected a gradient`);
        expectClose(
          `${entry.name}: gradient`,
          x.grad,
          { ...expected, data: expected.data.map(nanTo0) },
          DERIVATIVE,
          "gradients",
        );
      };
      compare(undefined, entry.grad_ones);
      if (entry.grad_upstream !== undefined) compare(upstream, entry.grad_upstream);
    },
  });
}

/** snnTorch's sigmoid is NaN where its exponential overflows; the derivative there is 0. */
const nanTo0 = (value: number | string | boolean): number | string | boolean => (value === "NaN" ? 0 : value);
