/** Norse's synapse with short-term plasticity. */
import { TsodyksMarkram } from "jarvis-snn";
import type { GoldenTensor, GoldenTensors } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";

interface Content {
  readonly params: Readonly<Record<"tau_f_inv" | "tau_d_inv" | "U", number>>;
  /** The time step in seconds. */
  readonly dt: number;
  /** Spikes [T, N]. */
  readonly input: GoldenTensor;
  readonly outputs: GoldenTensors;
}

goldenSuite<Content, NamedEntry>({
  file: "norse/tsodyks_makram",
  entries: () => [{ name: "stp_step" }],
  reads: ["params", "dt", "input", "outputs"],
  leftOut: {},
  run: ({ name }, { params, dt, input, outputs }) =>
    compareNeurons({ name, input, outputs }, (spikes) => {
      const synapse = new TsodyksMarkram({
        numerics: "norse",
        U: params.U,
        phi: 1 - dt * params.tau_f_inv,
        rho: 1 - dt * params.tau_d_inv,
      });
      const { membrane: out, u, x } = synapse.unroll(spikes);
      return { outputs: { out, u, x }, leaves: { input: spikes } };
    }),
});
