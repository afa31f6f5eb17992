/** Layers whose synapses change, and what runs networks: streams, integers. */
import type * as snn from "../../../../snn/index.ts";
import type * as quantize from "../../../../snn/quantize/index.ts";
import { bool, choice, either, list, listOf, must, nullable, num, numbers, oneOf, record, t } from "../kinds.ts";
import { model } from "../objects.ts";
import { layer, rule as synapticRule, state as synapticState } from "../rules.ts";
import type { Classes } from "../typed.ts";
import { current } from "./arguments.ts";

/** Networks of which `Int8` makes others. */
const EIGHT_BITS = ["new Linear(3, 2)", "quantize(new Linear(3, 2), { weights: { bits: 4 } })"];

const EIGHT_BITS_NETWORK = "new Sequential(new Linear(3, 2), new LIF(), new Dropout())";

export const PLASTIC = {
  Plastic: {
    new: [
      layer,
      synapticRule,
      {
        bounds: nullable(list(-1, 1)),
        normalize: must(
          either(
            num(1, 2),
            { ...t(2), draw: () => "full([2], 1.5)" },
            oneOf(["{ sum: 2, every: 2 }", "{ sum: ones([2]) }"], ["object"]),
          ),
        ),
        reduction: choice("sum", "mean"),
        weightDecay: num(0, 0.1),
      },
    ],
    call: {
      initialState: [either(num(1, 2), list(2, 3))],
      step: [t(2, 3), t(2, 2), synapticState(2), { reward: either(num(0, 1), list(1, -1), t(2)), apply: bool }],
      events: [
        oneOf(["[0, 1, 1.5]", "Float64Array.of(0, 0, 3)"], ["list", "typed", "object"]),
        oneOf(['["pre", "post", "both"]', '[{ pre: 1, post: [0, 1] }, { reward: 1 }, "pre"]'], ["list"]),
        synapticState(1),
      ],
      normalize: [],
    },
  },
  PlasticLayer: {
    new: [oneOf(["new Plastic(new Linear(3, 2), new RewardSTDP())"]), oneOf(["new LIF()"], [], model)],
    call: {
      forward: [current],
      unroll: [
        current,
        record({ plastic: synapticState(2), neurons: record({ v: t(2, 2), refractory: oneOf(["zeros([2, 2])"]) }) }),
      ],
      step: [
        t(2, 3),
        record({ plastic: synapticState(2), neurons: record({ v: t(2, 2), refractory: oneOf(["zeros([2, 2])"]) }) }),
      ],
      initialState: [list(2, 3)],
    },
  },
  Stream: {
    new: [either(model, listOf({ ...model, takes: ["list"] })), list(2, 3)],
    call: { step: [numbers(6)], reset: [], dispose: [] },
  },
  Int8: {
    new: [
      either(oneOf([...EIGHT_BITS, EIGHT_BITS_NETWORK]), listOf({ ...oneOf(EIGHT_BITS), takes: ["list"] })),
      { perChannel: bool },
    ],
    call: {
      forward: [either(t(4, 2, 3), { ...t(4, 2, 3), draw: () => "poissonEncode(rand([2, 3]), { timesteps: 4 })" })],
      arrays: [],
      dispose: [],
      stateDict: [],
      loadStateDict: [
        record({
          "0.weight": must(
            record({ shape: list(2, 3), data: oneOf(["Int8Array.of(1, -2, 3, 127, -127, 0)"], ["typed"]) }),
          ),
          "0.weight_scale": must(
            either(
              record({ shape: list(2), data: oneOf(["Float32Array.of(0.5, 2)"], ["typed"]) }),
              record({ shape: list(1), data: oneOf(["Float32Array.of(0.25)"], ["typed"]) }),
            ),
          ),
          "0.bias": must(record({ shape: list(2), data: numbers(2) })),
        }),
        record({ strict: bool }),
      ],
    },
  },
} satisfies Partial<Classes<typeof snn & typeof quantize>>;
