/** Functions of `jarvis-snn/quantize`. */
import type * as quantize from "../../../../snn/quantize/index.ts";
import {
  bool,
  choice,
  either,
  list,
  listOf,
  must,
  nullable,
  num,
  numbers,
  oneOf,
  options,
  record,
  spare,
  t,
} from "../kinds.ts";
import { encode, loader, model, probed } from "../objects.ts";
import type { Rows } from "../typed.ts";

export const QUANTIZE: Rows<typeof quantize> = {
  toSpiking: [
    oneOf([
      "new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Dropout(), new Linear(4, 2))",
      "[new ReLU(), new Linear(3, 2), new ReLU(), [new Linear(2, 2), new ReLU()]]",
    ]),
    {
      data: must(
        oneOf([
          "rand([4, 3])",
          "new TensorDataset(new Float32Array(12), [0, 1, 1, 0])",
          "new DataLoader(new TensorDataset(rand([3, 3]), [0, 1, 0]), { batchSize: 2 })",
          "[{ x: rand([2, 3]), y: Int32Array.of(0, 1) }]",
        ]),
      ),
      timesteps: must(num(1, 4)),
      mode: choice("percentile", "max"),
      percentile: spare(num(50, 99.9)),
      perChannel: bool,
      initial: num(0, 0.5),
      maxPool: choice("refuse", "spikes"),
      encode,
    },
  ],
  dequantizedState: [
    record({
      w_scale: record({ shape: list(2), data: numbers(2) }),
      w: record({ shape: list(2, 3), data: numbers(6) }),
      v_packed: record({ shape: list(3), data: numbers(3) }),
      v_shape: record({ shape: list(2), data: oneOf(["Int32Array.of(2, 3)"], ["typed"]) }),
      v_bits: record({ shape: list(1), data: oneOf(["[4]"]) }),
      v_scale: record({ shape: list(1), data: numbers(1) }),
    }),
  ],
  quantize: [
    probed,
    {
      weights: must(nullable(options({ bits: must(either(num(2, 8), choice("ternary"))), perChannel: bool }))),
      state: nullable(
        options({
          bits: must(num(1, 6)),
          uniform: bool,
          thrCentered: spare(bool),
          threshold: num(1, 0.5),
          lowerLimit: num(0, 1),
          upperLimit: num(0.2, 1),
          multiplier: spare(num(0.5)),
          states: listOf(choice("v")),
        }),
      ),
      decays: nullable(choice("shift")),
    },
  ],
  quantizedState: [model],
  quantizedWeights: [oneOf(["quantize(new Linear(3, 2), { weights: { bits: 4 } })"], ["object"])],
  applyMasks: [model],
  profile: [
    model,
    either(t(4, 2, 3), { ...loader, draw: () => "[{ x: rand([2, 2, 3]), y: Int32Array.of(0, 1) }]" }),
    // No layer tells the samples of a network of linear layers alone.
    { encode, batchAxis: must(num(0, 1)), joules: { mac: num(4.6e-12), ac: num(0, 1), update: num(0, 1) } },
  ],
  profileText: [oneOf(["profile(new Sequential(new Linear(3, 2), new LIF()), rand([4, 2, 3]))"], ["object"])],
  prune: [
    model,
    {
      amount: must(num(0, 0.5, 1)),
      threshold: spare(num(0.1, 1)),
      scope: choice("layer", "global"),
      unit: choice("weight", "output"),
      layers: spare(listOf(oneOf(['"0"', '"2"']))),
    },
  ],
  synapticCost: [model, t(4, 2, 3), { target: must(num(1, 100)), lambda: num(0, 1), batchAxis: num(0, 1) }],
};
