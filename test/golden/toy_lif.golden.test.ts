/** The LIF neuron with its defaults, hard reset, refractory steps and a sigmoid surrogate, against a PyTorch transcription. */
import { add, LIF, mul, sum, surrogate, type Tensor, unbind } from "jarvis-snn";
import { EXACT, expectClose, expectSpikes, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

interface Options {
  readonly beta: number;
  readonly threshold: number;
  readonly resetValue: number;
  readonly refractorySteps: number;
  readonly slope: number;
}

interface Entry extends NamedEntry {
  readonly options: Options;
  readonly input: GoldenTensor;
  readonly spikes: GoldenTensor;
  readonly v: GoldenTensor;
  readonly membrane: GoldenTensor;
  /** Steps that each neuron is still held after each step. */
  readonly refractory: GoldenTensor;
  readonly upstream: Readonly<Partial<Record<"spikes" | "v" | "membrane", GoldenTensor>>>;
  readonly loss: GoldenTensor;
  readonly grad_input: GoldenTensor;
}

/** The same float32 recursion; β·v + I may be rounded once or twice. */
const FORWARD: Tolerance = { absolute: 1e-6, relative: 1e-6 };
/** The sum of some 700 products of size 1, in another order. */
const LOSS: Tolerance = { absolute: 5e-5, relative: 1e-6 };
/** The surrogate amplifies the rounding of u by its slope. */
const GRADIENT: Tolerance = { absolute: 1e-5, relative: 1e-5 };

/** One step after the other, as in streaming inference: spikes and the remaining refractory steps. */
function expectSteps(entry: Entry, lif: LIF): void {
  const input = toTensor(entry.input);
  const spikes = unbind(toTensor(entry.spikes), 0);
  const refractory = unbind(toTensor(entry.refractory), 0);
  let state = lif.initialState(input.shape.slice(1));
  unbind(input, 0).forEach((current, t) => {
    const [s, next] = lif.step(current, state);
    state = next;
    const where = `${entry.name}, step ${t}`;
    expectSpikes(`${where}: spikes`, s, asGolden(spikes[t] as Tensor));
    expectClose(`${where}: refractory`, state.refractory, asGolden(refractory[t] as Tensor), EXACT, "states");
  });
}

const asGolden = (t: Tensor): GoldenTensor => ({ shape: t.shape, data: [...t.data] });

goldenSuite<{ entries: Entry[] }, Entry>({
  file: "toy/lif",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run(entry) {
    const { slope, ...options } = entry.options;
    const lif = new LIF({ ...options, reset: "zero", fire: "ge", surrogate: surrogate.sigmoid({ slope }) });
    const input = toTensor(entry.input, true);
    const { spikes, v, membrane } = lif.unroll(input);
    const outputs = { spikes, v, membrane };
    expectSpikes(`${entry.name}: spikes`, spikes, entry.spikes);
    expectClose(`${entry.name}: membrane`, membrane, entry.membrane, FORWARD, "states");
    expectClose(`${entry.name}: v`, v, entry.v, FORWARD, "states");
    expectSteps(entry, lif);
    const terms = Object.entries(entry.upstream).map(([name, upstream]) =>
      sum(mul(outputs[name as keyof typeof outputs], toTensor(upstream))),
    );
    const loss = terms.reduce((a, b) => add(a, b));
    expectClose(`${entry.name}: loss`, loss, entry.loss, LOSS);
    loss.backward();
    expectClose(`${entry.name}: gradient of the input`, input.grad as Tensor, entry.grad_input, GRADIENT, "gradients");
  },
});
