/** The losses of snnTorch over one recording of spikes and membranes: values and gradients; its sparsity and its accuracies. */
import {
  accuracyRate,
  accuracyTemporal,
  type CrossEntropySequenceOptions,
  ceCountLoss,
  ceMaxMembraneLoss,
  ceRateLoss,
  ceTemporalLoss,
  l1RateSparsity,
  type MseTemporalOptions,
  mseCountLoss,
  mseMembraneLoss,
  mseTemporalLoss,
  type Reduction,
  type SequenceLossOptions,
  spikeTimes,
  stack,
  sum,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { expectClose, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, numbersOf, readGolden, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

type Arguments = Readonly<Record<string, unknown>>;

interface Entry extends NamedEntry {
  readonly class: string;
  readonly kwargs: Arguments;
  /** The recording that is the input. */
  readonly input: "spk" | "mem";
  readonly targets: GoldenTensor;
  readonly loss: GoldenTensor;
  /** Of the sum of the loss. */
  readonly grad: GoldenTensor;
}

interface Content {
  readonly spk: GoldenTensor;
  readonly mem: GoldenTensor;
  readonly losses: readonly Entry[];
  readonly l1_rate_sparsity: { readonly Lambda: number; readonly loss: GoldenTensor; readonly grad: GoldenTensor };
  readonly accuracy: {
    readonly accuracy_rate: {
      readonly targets: GoldenTensor;
      readonly value: number;
      readonly argmax_counts: GoldenTensor;
    };
    readonly accuracy_rate_pop3: { readonly targets: GoldenTensor; readonly value: number };
    readonly accuracy_temporal: { readonly targets: GoldenTensor; readonly value: number };
    readonly accuracy_rate_perfect: number;
  };
}

/** exp and log within 2 ulp on both sides, sums over some tens of terms; squares of counts are as exact as their rounding. */
const LOSS: Tolerance = { absolute: 1e-6, relative: 2e-6 };
const GRADIENT: Tolerance = { absolute: 1e-8, relative: 1e-5 };

/** The arguments of snnTorch's losses, by the names that they have here. */
class Known {
  private readonly kwargs: Arguments;
  private readonly read = new Set<string>();

  constructor(kwargs: Arguments) {
    this.kwargs = kwargs;
  }

  get<T>(name: string, usual: T): T {
    this.read.add(name);
    return (this.kwargs[name] ?? usual) as T;
  }

  /**
   * The targets of the right and of the wrong classes. snnTorch clamps, where the first is above the second, the product
   * of the first and a one-hot vector to the second from below: a negative target of the wrong classes becomes 0, among others that of
   * `mse_temporal_loss` by default, −1, which its documentation calls the last step. Here −1 is the last step.
   */
  targets(on: number, off: number): { onTarget: number; offTarget: number } {
    return asClamped(this.get("on_target", on), this.get("off_target", off));
  }

  /** The same of several spikes, lists or tensors. */
  listsOfTargets(): { onTarget: number; offTarget: number }[] {
    const [on, off] = ["on_target", "off_target"].map((name) => {
      const list = this.get<GoldenTensor | readonly number[] | null>(name, null);
      if (list === null) throw new Error("losses: several spikes need lists of targets");
      return "data" in list ? numbersOf(list) : list;
    }) as [readonly number[], readonly number[]];
    return on.map((onTarget, f) => asClamped(onTarget, off[f] as number));
  }

  /** Weights are [K], or [K, 1] where snnTorch broadcasts them over classes. */
  common(): Required<Pick<SequenceLossOptions, "weight" | "reduction">> {
    const weight = this.get<GoldenTensor | null>("weight", null);
    return {
      weight: weight === null ? null : toTensor(weight).reshape([-1]),
      reduction: this.get<Reduction>("reduction", "mean"),
    };
  }

  numClasses(): number | null {
    return this.get("population_code", false) ? this.get<number>("num_classes", Number.NaN) : null;
  }

  /** Throws where an argument has no counterpart. */
  done(): void {
    const left = Object.keys(this.kwargs).filter((name) => !this.read.has(name));
    if (left.length > 0) throw new Error(`losses: no counterpart of ${left.join(", ")}`);
  }
}

const asClamped = (onTarget: number, offTarget: number) => ({
  onTarget,
  offTarget: onTarget > offTarget ? Math.max(offTarget, 0) : offTarget,
});

type Loss = (x: Tensor, y: GoldenTensor, known: Known) => Tensor;

const entropy =
  (loss: (x: Tensor, y: readonly number[], options: CrossEntropySequenceOptions) => Tensor): Loss =>
  (x, y, known) =>
    loss(x, numbersOf(y), known.common());

const LOSSES: Readonly<Record<string, Loss>> = {
  ce_rate_loss: entropy(ceRateLoss),
  ce_max_membrane_loss: entropy(ceMaxMembraneLoss),
  ce_count_loss: (x, y, known) => ceCountLoss(x, numbersOf(y), { ...known.common(), numClasses: known.numClasses() }),
  mse_count_loss: (x, y, known) =>
    mseCountLoss(x, numbersOf(y), {
      ...known.common(),
      numClasses: known.numClasses(),
      correctRate: known.get("correct_rate", 1),
      incorrectRate: known.get("incorrect_rate", 0),
    }),
  mse_membrane_loss: (x, y, known) =>
    mseMembraneLoss(x, numbersOf(y), {
      ...known.common(),
      ...known.targets(1, 0),
      timeVarTargets: known.get("time_var_targets", false),
    }),
  ce_temporal_loss: (x, y, known) =>
    ceTemporalLoss(x, numbersOf(y), { ...known.common(), inverse: known.get("inverse", "negate") }),
  mse_temporal_loss(x, y, known) {
    const isTime = known.get("target_is_time", false);
    const options = { ...known.common(), targetIsTime: isTime, tolerance: known.get("tolerance", 0) };
    if (known.get("multi_spike", false)) {
      const spikes: readonly OneSpike[] = isTime
        ? toTensor(y)
            .unbind(0)
            .map((times) => ({ y: times, options }))
        : known.listsOfTargets().map((targets) => ({ y: numbersOf(y), options: { ...options, ...targets } }));
      return multiSpike(x, spikes, options.reduction);
    }
    return mseTemporalLoss(x, isTime ? toTensor(y) : numbersOf(y), { ...options, ...known.targets(0, -1) });
  },
};

/** The targets of one of several spikes. */
interface OneSpike {
  readonly y: Tensor | readonly number[];
  readonly options: MseTemporalOptions;
}

/**
 * snnTorch's loss of several spikes: after each one it deletes, for all neurons and samples, the steps in which any neuron had that
 * spike. The loss here gives each neuron its own next spike, so the same numbers come from single spikes of what is left. Where two
 * spikes of a neuron have one time, as those that it does not have, snnTorch keeps the gradient of the last one alone.
 */
function multiSpike(spikes: Tensor, wanted: readonly OneSpike[], reduction: Reduction): Tensor {
  const [T, B, K] = spikes.shape as [number, number, number];
  const left = spikes.toFloat32Array();
  const times: Float32Array[] = [];
  const parts = wanted.map((one) => {
    // A leaf in the shape of the spikes: those that were deleted, and the rest with its gradient.
    const now = tensor(left, { shape: spikes.shape });
    const found = spikeTimes(now).toFloat32Array();
    times.push(found);
    for (const t of new Set(found)) left.fill(0, t * B * K, (t + 1) * B * K);
    return { ...one, now };
  });
  const losses = parts.map(({ now, y, options }, f) => {
    // The gradient flows to the spikes themselves, unless a later spike of the neuron has the same time.
    const keeps = Float32Array.from(left, (_, i) => {
      const [t, neuron] = [Math.floor(i / (B * K)), i % (B * K)];
      return times.slice(f + 1).some((later) => later[neuron] === t) ? 0 : 1;
    });
    const through = spikes.sub(spikes.detach()).mul(tensor(keeps, { shape: [T, B, K] }));
    return mseTemporalLoss(now.add(through), y, options);
  });
  if (reduction === "none") return stack(losses);
  const total = losses.reduce((a, b) => a.add(b));
  return reduction === "sum" ? total : total.mul(1 / losses.length);
}

const lossOf = (entry: Entry, x: Tensor): Tensor => {
  const loss = LOSSES[entry.class];
  if (loss === undefined) throw new Error(`losses: no loss for ${JSON.stringify(entry.class)}`);
  const known = new Known(entry.kwargs);
  const value = loss(x, entry.targets, known);
  known.done();
  return value;
};

/** snnTorch gives losses that it sums up over time as [1]. */
const asHere = (golden: GoldenTensor): GoldenTensor => (golden.data.length === 1 ? { ...golden, shape: [] } : golden);

goldenSuite<Content, Entry>({
  file: "snntorch/losses",
  entries: ({ losses }) => losses,
  reads: ["spk", "mem", "losses", "l1_rate_sparsity", "accuracy"],
  leftOut: {},
  run(entry, content) {
    const x = toTensor(content[entry.input], true);
    const loss = lossOf(entry, x);
    expectClose("loss", loss, asHere(entry.loss), LOSS);
    sum(loss).backward();
    if (x.grad === null) throw new Error("losses: no gradient");
    expectClose("gradient", x.grad, entry.grad, GRADIENT);
  },
});

describe("snntorch/losses", () => {
  const { content } = readGolden<Content>("snntorch/losses");

  test("l1_rate_sparsity", () => {
    tape(() => {
      const { Lambda: lambda, loss, grad } = content.l1_rate_sparsity;
      const spikes = toTensor(content.spk, true);
      const value = l1RateSparsity(spikes, { lambda });
      expectClose("loss", value, loss, LOSS);
      value.backward();
      expectClose("gradient", spikes.grad as Tensor, grad, GRADIENT);
    });
  });

  test("accuracies", () => {
    tape(() => {
      const spikes = toTensor(content.spk);
      const { accuracy_rate: rate, accuracy_rate_pop3: population, accuracy_temporal: temporal } = content.accuracy;
      expect(accuracyRate(spikes, numbersOf(rate.targets))).toBe(rate.value);
      expect(accuracyRate(spikes, numbersOf(population.targets), { numClasses: 3 })).toBe(population.value);
      expect(accuracyTemporal(spikes, numbersOf(temporal.targets))).toBe(temporal.value);
      expect(accuracyRate(spikes, numbersOf(rate.argmax_counts))).toBe(content.accuracy.accuracy_rate_perfect);
    });
  });
});
