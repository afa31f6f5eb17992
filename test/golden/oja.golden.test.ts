/** The rules of Oja and Sanger, from the papers' equations, step by step; and the convergence to the principal component. */
import { Oja, Plastic, type Tensor } from "jarvis-snn";
import { expectClose, withinLargest } from "../support/close.ts";
import { type GoldenTensor, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { linearOf, Recorder } from "./plasticity.ts";

interface Entry extends NamedEntry {
  readonly variant: string;
  readonly eta: number;
  readonly alpha: number;
  readonly w0: GoldenTensor;
  /** Rates before, [T, (B,) in]. */
  readonly x: GoldenTensor;
  /** Rates behind, [T, (B,) out]; without them the layer gives these. */
  readonly y_given?: GoldenTensor;
  readonly outputs: { readonly y?: GoldenTensor; readonly w: GoldenTensor };
}

interface Content {
  readonly entries: readonly Entry[];
  readonly convergence: {
    readonly eta: number;
    readonly w0: GoldenTensor;
    readonly x: GoldenTensor;
    readonly principal_eigenvector_up_to_sign: GoldenTensor;
    readonly eigenvalues: GoldenTensor;
    readonly epochs: readonly {
      readonly w: GoldenTensor;
      readonly norm: number;
      readonly abs_cosine_to_principal_eigenvector: number;
    }[];
  };
}

const VARIANTS = {
  oja: { variant: "oja", reduction: "sum" },
  "oja, batch mean": { variant: "oja", reduction: "mean" },
  subspace: { variant: "subspace", reduction: "sum" },
  sanger: { variant: "sanger", reduction: "sum" },
} as const;

/** An entry, or the convergence as one. */
type Case = NamedEntry & { readonly entry?: Entry };

goldenSuite<Content, Case>({
  file: "plasticity/oja",
  entries: ({ entries }) => [...entries.map((entry) => ({ name: entry.name, entry })), { name: "convergence" }],
  reads: ["entries", "convergence"],
  leftOut: {},
  run: ({ entry }, { convergence }) => (entry === undefined ? converges(convergence) : compare(entry)),
});

function compare({ name, variant: words, eta, alpha, w0, x, y_given, outputs }: Entry): void {
  const { variant, reduction } = lookUp<(typeof VARIANTS)[keyof typeof VARIANTS]>("variant", VARIANTS, words);
  const layer = linearOf(toTensor(w0));
  const rule = new Oja({ eta, variant, ...(variant === "oja" ? { alpha } : {}) });
  const plastic = new Plastic(layer, rule, { reduction });
  const rows = (t: GoldenTensor): Tensor[] =>
    toTensor(t)
      .reshape([t.shape[0] as number, -1, t.shape.at(-1) as number])
      .unbind(0);
  const given = y_given && rows(y_given);
  const recorder = new Recorder();
  let state = plastic.initialState(x.shape.length === 3 ? (x.shape[1] as number) : 1);
  for (const [t, rates] of rows(x).entries()) {
    const y = given?.[t] ?? layer.forward(rates);
    state = plastic.step(rates, y, state);
    recorder.note({ w: layer.weight, y: x.shape.length === 3 ? y : y.reshape([-1]) });
  }
  recorder.compare(name, "w", outputs.w);
  if (outputs.y !== undefined) recorder.compare(name, "y", outputs.y);
}

function converges({ eta, w0, x, principal_eigenvector_up_to_sign, epochs }: Content["convergence"]): void {
  const layer = linearOf(toTensor(w0));
  const plastic = new Plastic(layer, new Oja({ eta }));
  const inputs = toTensor(x).unbind(0);
  const principal = numbersOf(principal_eigenvector_up_to_sign);
  let state = plastic.initialState(1);
  for (const [i, { w, norm, abs_cosine_to_principal_eigenvector: cosine }] of epochs.entries()) {
    for (const row of inputs) {
      const rates = row.reshape([1, -1]);
      state = plastic.step(rates, layer.forward(rates), state);
    }
    expectClose(`convergence: w after epoch ${i + 1}`, layer.weight, w, withinLargest(w, 1e-5), "states");
    const values = Array.from(layer.weight.toFloat32Array());
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    const along = values.reduce((sum, value, k) => sum + value * (principal[k] as number), 0);
    const tolerance = { absolute: 1e-5, relative: 0 };
    expectClose(`convergence: norm after epoch ${i + 1}`, length, norm, tolerance, "states");
    expectClose(`convergence: cosine after epoch ${i + 1}`, Math.abs(along) / length, cosine, tolerance, "states");
  }
}
