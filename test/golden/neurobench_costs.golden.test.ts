/** Costs of small networks as NeuroBench counts them: operations, sparsity and memory. test/peers/neurobench.py writes the file. */
import { AvgPool2d, Conv2d, Flatten, keep, LIF, Linear, type Module, RecurrentLIF, ReLU, Sequential } from "jarvis-snn";
import { profile } from "jarvis-snn/quantize";
import { expect } from "vitest";
import { type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";

interface Entry {
  readonly name: string;
  readonly weights: GoldenTensors;
  /** [B, …] of a network without time, else [B, T, …]. */
  readonly batches: readonly GoldenTensors[string][];
  readonly result: {
    readonly synapticOperations: { Effective_MACs: number; Effective_ACs: number; Dense: number };
    readonly activationSparsity: number;
    readonly connectionSparsity: number;
    readonly footprint: number;
    readonly parameterCount: number;
  };
}

const leaky = () => new LIF({ beta: 0.5, threshold: 1, numerics: "snntorch" });

/** The network, its layers in the order of the peer, whose names it takes. */
function networkOf({ name, weights }: Entry): { model: Module; hasTime: boolean } {
  const sizes = (layer: string): number[] => [...(weights[`${layer}.weight`]?.shape ?? [])];
  const linear = (layer: string) => new Linear(sizes(layer)[1] as number, sizes(layer)[0] as number);
  const conv = (layer: string, options: object) => {
    const [out, within, kernel] = sizes(layer) as [number, number, number];
    const { groups = 1 } = options as { groups?: number };
    return new Conv2d(within * groups, out, kernel, options);
  };
  if (name === "convolutions with ReLU") {
    const first = conv("0", { padding: 1 });
    const second = conv("2", { stride: 2, groups: 2 });
    return {
      model: new Sequential(first, new ReLU(), second, new ReLU(), new Flatten(), linear("5")),
      hasTime: false,
    };
  }
  if (name === "linear layers with Leaky") {
    return { model: new Sequential(linear("layers.0"), leaky(), linear("layers.2"), leaky()), hasTime: true };
  }
  if (name === "convolutions with Leaky and a mean") {
    const first = conv("layers.0", { padding: 1, bias: false });
    const second = conv("layers.3", { dilation: 2 });
    return {
      model: new Sequential(
        ...[first, leaky(), new AvgPool2d(2), second, leaky()],
        ...[new Flatten(2), linear("layers.6"), leaky()],
      ),
      hasTime: true,
    };
  }
  if (name === "a recurrent layer, RLeaky") {
    const features = sizes("first")[0] as number;
    const hidden = new RecurrentLIF({ features, beta: 0.5, threshold: 1, numerics: "snntorch" });
    return { model: new Sequential(linear("first"), hidden, linear("last"), leaky()), hasTime: true };
  }
  throw new Error(`${name}: unknown network`);
}

/** Writes the parameters of the peer into ours, which have the same order. */
function load(model: Module, { name, weights }: Entry): void {
  const values = Object.values(weights);
  const parameters = model.parameters();
  if (parameters.length !== values.length) throw new Error(`${name}: expected ${parameters.length} parameters`);
  for (const [i, p] of parameters.entries()) {
    const golden = values[i] as GoldenTensors[string];
    expect(golden.shape).toEqual(p.shape);
    p.copyFrom(numbersOf(golden));
  }
}

goldenSuite<{ entries: Entry[] }, Entry>({
  file: "neurobench/costs",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run(entry) {
    const { model, hasTime } = networkOf(entry);
    load(model, entry);
    const batches = entry.batches.map((t) => ({ x: keep(toTensor(t)), y: new Int32Array(t.shape[0] as number) }));
    const { total, uncounted } = profile(model, batches, hasTime ? { encode: (x) => x.transpose(0, 1) } : {});
    const { synapticOperations, activationSparsity, connectionSparsity, footprint, parameterCount } = entry.result;
    expect(total.synapticOperations.dense).toBeCloseTo(synapticOperations.Dense, 9);
    expect(total.synapticOperations.effectiveMACs).toBeCloseTo(synapticOperations.Effective_MACs, 9);
    expect(total.synapticOperations.effectiveACs).toBeCloseTo(synapticOperations.Effective_ACs, 9);
    // The peer rounds to four digits.
    expect(total.connectionSparsity).toBeCloseTo(connectionSparsity, 4);
    expect(total.parameterCount).toBe(parameterCount);
    expect(uncounted).toEqual([]);
    expect(total.activationSparsity).toBeCloseTo(activationSparsity, 9);
    // The buffers of Leaky hold its options and its last membrane.
    if (!hasTime) expect(total.footprint).toBe(footprint);
  },
});
