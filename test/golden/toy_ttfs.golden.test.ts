/** Time-to-first-spike coding, values outside [0, 1] and halves included. */
import { ttfsEncode } from "jarvis-snn";
import { expectSpikes } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

interface Case {
  readonly timesteps: number;
  readonly eps?: number;
  readonly out: GoldenTensor;
}

interface Content {
  readonly x: GoldenTensor;
  readonly cases: readonly Case[];
}

goldenSuite<Content, Case & NamedEntry>({
  file: "toy/ttfs",
  entries: ({ cases }) => cases.map((one) => ({ ...one, name: `${one.timesteps} steps` })),
  reads: ["x", "cases"],
  leftOut: {},
  run({ timesteps, eps, out, name }, { x }) {
    const options = eps === undefined ? { timesteps } : { timesteps, eps };
    expectSpikes(name, ttfsEncode(toTensor(x), options), out);
  },
});
