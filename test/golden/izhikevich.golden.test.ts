/** Norse's Izhikevich cell: five of its presets under a step of current, and gradients over 60 steps. */
import { full, Izhikevich, surrogate } from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, type NeuronGolden, SENSITIVE } from "./neurons.ts";

interface Entry extends NeuronGolden {
  readonly dt: number;
  readonly params: Readonly<Record<string, number | string | GoldenTensor>>;
  readonly init_state: GoldenTensors;
}

/** A parameter as a number. */
const numberOf = ({ params }: Entry, name: string): number => {
  const value = params[name];
  return typeof value === "object" ? (numbersOf(value)[0] as number) : Number(value);
};

goldenSuite<{ entries: readonly Entry[] }, Entry>({
  file: "norse/coba_izhikevich",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {
    coba_lif_feed_forward_step: "tested in coba.golden.test.ts",
    coba_lif_step_AS_SHIPPED: "tested in coba.golden.test.ts",
  },
  run: (entry) =>
    compareNeurons(
      entry,
      (input) => {
        const at = (name: string): number => numberOf(entry, name);
        if (entry.params.method !== "super") throw new Error(`expected the method super, got ${entry.params.method}`);
        const layer = new Izhikevich({
          numerics: "norse",
          ...{ a: at("a"), b: at("b"), c: at("c"), d: at("d"), square: at("sq"), linear: at("mn"), bias: at("bias") },
          threshold: at("v_th"),
          dt: at("tau_inv") * entry.dt,
          surrogate: surrogate.superSpike({ alpha: at("alpha") }),
        });
        const shape = input.shape.slice(1);
        const initial = (name: string) => toTensor(entry.init_state[name] as GoldenTensor).add(full(shape, 0));
        const { spikes: z, v, u } = layer.unroll(input, { v: initial("v"), u: initial("u") });
        return { outputs: { z, v, u }, leaves: { input } };
      },
      SENSITIVE,
    ),
});
