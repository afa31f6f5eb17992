/** The charts of the chapters of docs/plasticity.md on rewards and on rates. */
import { BCM, Generator, Hebbian, Linear, matmul, Oja, Plastic, RewardSTDP, randn, tensor, zeros } from "jarvis-snn";
import { curvePlot, sheet } from "jarvis-snn/plot";

export async function rewardCharts() {
  return {
    "plasticity-reward.svg": await synapseChart(),
    "plasticity-rates.svg": sheet([await ojaChart(), await bcmChart()], {
      title: "Length and direction of weights by Oja's rule and by Hebb's; rates of a neuron that learns by BCM",
    }),
  };
}

const HALF = { width: 460 };

/** A layer without a bias, of these weights. */
function layerOf(weight) {
  const [outputs, inputs] = weight.shape;
  const layer = new Linear(inputs, outputs, { bias: false });
  layer.weight.copyFrom(weight);
  return layer;
}

/** A synapse whose neurons fire in one order and later in the other, with a reward some time after each. */
function synapseChart() {
  const layer = layerOf(zeros([1, 1]));
  const plastic = new Plastic(layer, new RewardSTDP());
  let state = plastic.initialState(1);
  const [pre, post, rewards] = [
    [100, 810],
    [110, 800],
    [400, 1200],
  ];
  const x = Array.from({ length: 1500 }, (_, t) => t);
  const at = (times, t) => tensor([[times.includes(t) ? 1 : 0]]);
  const [e, w] = [[], []];
  for (const t of x) {
    state = plastic.step(at(pre, t), at(post, t), state, rewards.includes(t) ? { reward: 1 } : {});
    e.push(state.synapses.e.item() * state.scales.e);
    w.push(layer.weight.item());
  }
  return curvePlot(
    { "eligibility e": { x, y: e }, "change of the weight": { x, y: w } },
    {
      title: "Two pairs of spikes, two rewards",
      xLabel: "time (ms)",
      yLabel: "e, Σ Δw",
    },
  );
}

/** Inputs of two dimensions that lie along a line, and how far weights are from a unit vector along it. */
function ojaChart() {
  const angle = Math.PI / 6;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const turned = tensor([
    [cos, sin],
    [-sin, cos],
  ]);
  const inputs = matmul(randn([300, 2], { generator: new Generator(1) }).mul(tensor([1, 0.3])), turned).toArray();
  const run = (rule) => {
    const layer = layerOf(tensor([[-0.1, 0.3]]));
    const plastic = new Plastic(layer, rule);
    let state = plastic.initialState(1);
    return inputs.map((input) => {
      const x = tensor([input]);
      state = plastic.step(x, layer.forward(x), state);
      return layer.weight.toArray()[0];
    });
  };
  const x = inputs.map((_, t) => t + 1);
  const [oja, hebb] = [run(new Oja({ eta: 0.03 })), run(new Hebbian({ activity: "rates", eta: 0.03 }))];
  const length = (w) => Math.hypot(...w);
  const shown = (y) => ({ x, y: y.map((value) => (value > 2 ? Number.NaN : value)) });
  return curvePlot(
    {
      "Oja: length": shown(oja.map(length)),
      "Oja: cosine": shown(oja.map((w) => Math.abs(w[0] * cos + w[1] * sin) / length(w))),
      "Hebb: length": shown(hebb.map(length)),
    },
    { ...HALF, title: "Weights of a neuron with two inputs", xLabel: "step", yLabel: "length, cosine" },
  );
}

/** Rates of a neuron at four patterns that overlap. */
function bcmChart() {
  const distance = (i, k) => ((i - 3 * k + 18) % 12) - 6;
  const patterns = [0, 1, 2, 3].map((k) => Array.from({ length: 12 }, (_, i) => Math.exp(-(distance(i, k) ** 2) / 4)));
  const start = Array.from({ length: 12 }, (_, i) => 0.15 + 0.01 * ((5 * i) % 7));
  const layer = layerOf(tensor([start]));
  const plastic = new Plastic(layer, new BCM({ eta: 0.002, tau: 60 }));
  let state = plastic.initialState(1);
  const inputs = patterns.map((pattern) => tensor([pattern]));
  const [x, curves] = [[], patterns.map(() => [])];
  for (let t = 0; t < 9000; t++) {
    const input = inputs[t % 4];
    state = plastic.step(input, layer.forward(input).relu(), state);
    if (t % 60 !== 0) continue;
    x.push(t);
    for (const [k, row] of inputs.entries()) curves[k].push(layer.forward(row).relu().item());
  }
  return curvePlot(Object.fromEntries(curves.map((y, k) => [`pattern ${k + 1}`, { x, y }])), {
    ...HALF,
    title: "Rates of a neuron, BCM",
    xLabel: "step",
    yLabel: "y",
  });
}
