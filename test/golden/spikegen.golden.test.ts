/** snnTorch's spikegen in terms of this package: rate, latency and delta codes, and targets. */
import {
  deltaEncode,
  Generator,
  type LatencyOptions,
  latencyEncode,
  latencyTargets,
  poissonEncode,
  rateTargets,
  type Tensor,
} from "jarvis-snn";
import { expect } from "vitest";
import { EXACT, expectClose } from "../support/close.ts";
import { type GoldenTensor, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

type Arguments = Readonly<Record<string, number | boolean | string>>;

interface Case {
  readonly kwargs: Arguments;
  readonly out?: GoldenTensor;
  readonly raises?: string;
  readonly input?: GoldenTensor;
  readonly targets?: GoldenTensor;
  readonly num_classes?: number;
  readonly num_steps?: number;
  readonly expected_probability?: GoldenTensor;
  readonly zero_until?: number;
}

interface Content {
  readonly latency_input: GoldenTensor;
  readonly latency: readonly Case[];
  readonly delta: readonly Case[];
  readonly rate_input: GoldenTensor;
  readonly rate: readonly Case[];
  readonly targets_convert: readonly Case[];
}

type Entry = Case & NamedEntry & { readonly group: "latency" | "delta" | "rate" | "targets_convert" };

/** Names in which snnTorch differs by more than its underscores. */
const NAMES: Readonly<Record<string, string>> = { num_steps: "timesteps" };

/** Arguments as options: false for num_steps stands for none. */
function optionsOf(kwargs: Arguments): Record<string, unknown> {
  const entries = Object.entries(kwargs).filter(
    ([name, value]) => name !== "code" && !(name === "num_steps" && !value),
  );
  const camel = (name: string) => NAMES[name] ?? name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(entries.map(([name, value]) => [camel(name), value]));
}

/** Compares with what came of it, or expects an error where the peer raises. */
function compare(entry: Entry, run: () => Tensor): void {
  if (entry.raises === undefined) expectClose(entry.name, run(), entry.out as GoldenTensor, VALUES);
  else expect(run, entry.name).toThrow(RangeError);
}

/** Spikes are equal; interpolated numbers are quotients of few digits. */
const VALUES = { absolute: 0, relative: 2e-7 };

const RUNS: Readonly<Record<Entry["group"], (entry: Entry, content: Content) => void>> = {
  latency: (entry, { latency_input }) =>
    compare(entry, () => latencyEncode(toTensor(latency_input), optionsOf(entry.kwargs) as LatencyOptions)),
  delta: (entry) => {
    const input = entry.input as GoldenTensor;
    const spikes = deltaEncode(toTensor(input), optionsOf(entry.kwargs));
    expectClose(entry.name, spikes, entry.out as GoldenTensor, EXACT);
  },
  rate: (entry, { rate_input }) => {
    const { kwargs, num_steps: timesteps = 0, zero_until = 0 } = entry;
    const options = { timesteps, ...optionsOf(kwargs), generator: new Generator(1) };
    const spikes = poissonEncode(toTensor(rate_input), options);
    const [silent, rest] = spikes.split([Math.max(1, zero_until), timesteps - Math.max(1, zero_until)]);
    if (zero_until > 0) expect(silent?.sum().item()).toBe(0);
    const found = (rest as Tensor).mean({ axis: 0 }).toFloat32Array();
    numbersOf(entry.expected_probability as GoldenTensor).forEach((p, i) => {
      // Five standard deviations of the mean, and the rounding of the mean itself.
      const bound = 5 * Math.sqrt((p * (1 - p)) / (timesteps - zero_until)) + 1e-6;
      expect(Math.abs((found[i] as number) - p), `${entry.name}: ${i}`).toBeLessThanOrEqual(bound);
    });
  },
  targets_convert: (entry) => {
    const { targets, num_classes: numClasses = 3, kwargs, raises } = entry;
    const indices = targets === undefined ? [2, 0, 1] : numbersOf(targets);
    if (kwargs.code === "latency") {
      compare(entry, () => latencyTargets(indices, { numClasses, ...optionsOf(kwargs) }));
      return;
    }
    expect(raises).toBeUndefined();
    // Where no time is asked for, snnTorch returns one of the steps, which are all the same.
    const options = { numClasses, timesteps: 1, ...optionsOf(kwargs) };
    const out = rateTargets(indices, options);
    expectClose(entry.name, kwargs.num_steps ? out : out.select(0, 0), entry.out as GoldenTensor, EXACT);
  },
};

goldenSuite<Content, Entry>({
  file: "snntorch/spikegen",
  entries: (content) =>
    (["latency", "delta", "rate", "targets_convert"] as const).flatMap((group) =>
      content[group].map((entry, i) => ({ ...entry, group, name: `${group} ${i}: ${JSON.stringify(entry.kwargs)}` })),
    ),
  reads: ["latency_input", "latency", "delta", "rate_input", "rate", "targets_convert"],
  kind: ({ group, kwargs, raises }) =>
    raises !== undefined && kwargs.code === "rate" ? "rates the peer cannot make" : group,
  leftOut: {
    "rates the peer cannot make":
      "snnTorch multiplies shapes that do not fit where both rates are above 0; rateTargets makes these targets",
  },
  run: (entry, content) => RUNS[entry.group](entry, content),
});
