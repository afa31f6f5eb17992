/** A neuron of one's own, two states and two learned parameters: compiled, as tensor ops, and in PyTorch; and what compiling takes. */
import { execFileSync } from "node:child_process";
import {
  neuron,
  parameter,
  rand,
  spike,
  stack,
  surrogate,
  type Tensor,
  tape,
  type Value,
  warmup,
  zeros,
} from "jarvis-snn";
import { interleave, median, steps } from "./support/interleave.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { serve, whole } from "./support/serve.ts";

const [T, B, N] = [25, 128, 1000];

type Name = "current" | "v" | "a" | "beta" | "rho" | "threshold" | "kappa";
type Given = { readonly [name in Name]: Value } & { spike(x: Value): Value };

/** A spike raises the threshold, which comes back slowly. */
function step({ current, v, a, beta, rho, threshold, kappa, spike }: Given) {
  const u = v.mul(beta).add(current);
  const s = spike(u.sub(threshold).sub(a.mul(kappa)));
  return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)), a: a.mul(rho).add(s) };
}

const AdaptiveLIF = neuron({
  name: "AdaptiveLIF",
  state: { v: 0, a: 0 },
  parameters: { beta: 0.95, rho: 0.97, threshold: 1, kappa: 1.8 },
  step,
});

const atan = surrogate.atan({ alpha: 2 });
const layer = new AdaptiveLIF({ learn: ["beta", "rho"], surrogate: atan, fire: "gt" });
const current = parameter(rand([T, B, N]).mul(0.25));
const upstream = rand([B, N]);
const leaves = [current, layer.beta, layer.rho];

/** Forward, and backward from the mean of the spikes over time towards the current, β and ρ. */
const pass = (spikes: () => Tensor) => (): void => {
  for (const leaf of leaves) leaf.zeroGrad();
  tape(() => spikes().mean({ axis: 0 }).backward(upstream));
};

const compiled = pass(() => layer.forward(current));

/** The same function of one step, on tensors: one op after the other. */
const composed = pass(() => {
  const { beta, rho, threshold, kappa } = layer;
  const fire = (x: Tensor) => spike(x, { threshold: 0, surrogate: atan, fire: "gt" });
  let state = { v: zeros([B, N]), a: zeros([B, N]) };
  const spikes = current.unbind(0).map((input) => {
    const given = { ...state, current: input, beta, rho, threshold, kappa, spike: fire as Given["spike"] };
    const { v, a, spikes } = step(given) as unknown as Record<"v" | "a" | "spikes", Tensor>;
    state = { v, a };
    return spikes;
  });
  return stack(spikes);
});

/** Milliseconds of the first forward and backward of a neuron in a process, and of those of further neurons with other steps. */
const program = `
  const { neuron, surrogate, tape, parameter, rand } = await import("jarvis-snn");
  const classOf = (extra) => neuron({
    name: "Adaptive",
    state: { v: 0, a: 0 },
    parameters: { beta: 0.95, rho: 0.97, threshold: 1, kappa: 1.8 },
    step({ current, v, a, beta, rho, threshold, kappa, spike }) {
      let u = v.mul(beta).add(current);
      for (let i = 0; i < extra; i++) u = u.add(a.mul(0.01 * (i + 1)));
      const s = spike(u.sub(threshold).sub(a.mul(kappa)));
      return { spikes: s, v: u.sub(s.detach().mul(threshold)), a: a.mul(rho).add(s) };
    },
  });
  const x = parameter(rand([3, 2, 4]));
  const times = [0, 1, 2, 3, 4].map((extra) => {
    const start = performance.now();
    const layer = new (classOf(extra))({ learn: ["beta", "rho"] });
    tape(() => layer.forward(x).sum().backward());
    return performance.now() - start;
  });
  console.log(JSON.stringify(times));
`;

/** A neuron with another step each time, and its first forward and backward. */
function compile(): () => void {
  const x = parameter(rand([3, 2, 4]));
  let made = 0;
  return () => {
    const scale = 1 + ++made / 4096;
    const Another = neuron({
      name: "Another",
      state: { v: 0, a: 0 },
      parameters: { beta: 0.95, rho: 0.97, threshold: 1, kappa: 1.8 },
      step: (given) => step({ ...given, a: given.a.mul(scale) }),
    });
    tape(() => new Another({ learn: ["beta", "rho"] }).forward(x).sum().backward());
  };
}

warmup();
await serve({ compiled: whole(() => compiled), composed: whole(() => composed), "compile another": whole(compile) });

const PROCESSES = 9;
const compilations = Array.from({ length: PROCESSES }, () => {
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  const [first, ...later] = JSON.parse(text) as [number, ...number[]];
  return { first, later: median(later) };
});

const rows = await race("neurons", { adaptive: { step: compiled, rounds: 11 } });
const run = await interleave(
  [steps("compiled", (n) => repeat(compiled, n)), steps("composed", (n) => repeat(composed, n))],
  11,
);
report({
  ...rows,
  tensors: { value: run.ratio("composed", "compiled"), times: run.medians("compiled", "composed") },
  first: { value: median(compilations.map(({ first }) => first)) },
  later: { value: median(compilations.map(({ later }) => later)) },
});

/** Milliseconds of one of so many calls. */
function repeat(step: () => void, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) step();
  return (performance.now() - start) / count;
}
