/** snnTorch's spikegen in terms of this package: rate, latency and delta codes, and targets. */
import {
  concat,
  deltaEncode,
  full,
  Generator,
  type LatencyOptions,
  latencyEncode,
  latencyTargets,
  poissonEncode,
  type RateTargetOptions,
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

/** The peer cuts off below the target of no spike a tensor that is 0 there, which a negative target does not change. */
const cut = <Options extends Record<string, unknown>>(options: Options): Options =>
  typeof options.offTarget === "number" && options.offTarget < 0 ? { ...options, offTarget: 0 } : options;

/** The same in each of T steps. */
const repeated = ({ shape, data, ...others }: GoldenTensor, T: number): GoldenTensor => ({
  ...others,
  shape: [T, ...shape],
  data: Array.from({ length: T }, () => data).flat(),
});

/** Options of a latency code as the peer reads them: it does not clip what it interpolates. */
function latencyOf(kwargs: Arguments): Record<string, unknown> {
  const options = optionsOf(kwargs);
  return options.interpolate === true ? { ...options, clip: false } : cut(options);
}

/** Options of targets that the peer does not pass on to its latency code. */
const UNREAD = ["on_target", "off_target", "interpolate", "epsilon"];

const asRead = (kwargs: Arguments): Arguments =>
  Object.fromEntries(Object.entries(kwargs).filter(([name]) => !UNREAD.includes(name)));

/** Compares with what came of it, or expects an error where the peer raises: of a value, or of one that is missing. */
function compare(entry: Entry, run: () => Tensor): void {
  if (entry.raises === undefined) expectClose(entry.name, run(), entry.out as GoldenTensor, VALUES);
  else expect(run, entry.name).toThrow(/^(latencyEncode|latencyTargets|rateTargets): /);
}

/** Spikes are equal; interpolated numbers are quotients of few digits. */
const VALUES = { absolute: 0, relative: 2e-7 };

const RUNS: Readonly<Record<Entry["group"], (entry: Entry, content: Content) => void>> = {
  latency: (entry, { latency_input }) =>
    compare(entry, () => latencyEncode(toTensor(latency_input), latencyOf(entry.kwargs) as LatencyOptions)),
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
      compare(entry, () => latencyTargets(indices, { numClasses, ...latencyOf(asRead(kwargs)) }));
      return;
    }
    const steps = raises === undefined ? { timesteps: 1 } : {};
    const options = { numClasses, ...steps, ...optionsOf(kwargs) } as RateTargetOptions & Record<string, unknown>;
    // Where all steps are the same, snnTorch returns one of them.
    const out = entry.out?.shape.length === 2 ? repeated(entry.out, Number(kwargs.num_steps) || 1) : entry.out;
    compare(out === undefined ? entry : { ...entry, out }, () => {
      const made = rateTargets(indices, cut(options));
      const { first_spike_time: first = 0, off_target: off = 0 } = kwargs as Record<string, number>;
      if (first === 0 || off >= 0) return made;
      // The steps before the first spike are the target as it is.
      const [before, after] = made.split([first, (made.shape[0] as number) - first]) as [Tensor, Tensor];
      return concat([full(before.shape, off), after]);
    });
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
    raises?.startsWith("The size of tensor") && kwargs.code === "rate" ? "rates the peer cannot make" : group,
  leftOut: {
    "rates the peer cannot make":
      "snnTorch multiplies shapes that do not fit where both rates are above 0; rateTargets makes these targets",
  },
  otherBugs: {
    "latency, off_target below 0":
      "the code is 0 where there is no spike: it is cut off below the target. The test does the same",
    "latency, clip with interpolate": "values below the threshold rise too, clip has no effect. The test does the same",
    "targets_convert, latency": "on_target, off_target and interpolate have no effect. The test does the same",
  },
  run: (entry, content) => RUNS[entry.group](entry, content),
});
