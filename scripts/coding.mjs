/**
 * The charts of docs/coding.md, as small multiples without axes: curves of surrogates and spikes of codes.
 *
 * Derivatives and smooth steps are computed by layers and by `spike`, as a training computes them.
 */
import * as snn from "jarvis-snn";

const { surrogate, tape, tensor } = snn;

const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .axis { stroke: #1f2328; stroke-opacity: 0.25 }
  .curve { fill: none; stroke-width: 2; stroke: #0969da }
  .step { fill: none; stroke-width: 1.25; stroke: #bc4c00 }
  .spikes { stroke: #0969da; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .axis { stroke: #e6edf3 }
    .curve, .spikes { stroke: #58a6ff }
    .step { stroke: #f0883e }
  }
</style>`;

/** Size of the panels, their number in a row, and the height of the text above. */
export function sheet(title, columns, [width, height], panels) {
  const rows = Math.ceil(panels.length / columns);
  const place = (panel, i) => {
    const [x, y] = [(i % columns) * width, 30 + Math.floor(i / columns) * height];
    return `<g transform="translate(${x} ${y})">${panel}</g>`;
  };
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * width} ${30 + rows * height}" role="img" aria-labelledby="title">`;
  const name = `<text id="title" x="8" y="18">${title}</text>`;
  return `${[head, STYLE, name, ...panels.map(place), "</svg>"].join("\n")}\n`;
}

const round = (x) => String(Math.round(10 * x) / 10);

/** The points that a path needs to deviate by at most a tenth of a unit (Douglas and Peucker). */
function thinned(points) {
  const [first, last] = [points[0], points.at(-1)];
  const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
  const off = points.map(([x, y]) => Math.abs(dx * (y - first[1]) - dy * (x - first[0])) / Math.hypot(dx, dy));
  const far = off.indexOf(Math.max(...off));
  if (off[far] < 0.1) return [first, last];
  return [...thinned(points.slice(0, far + 1)).slice(0, -1), ...thinned(points.slice(far))];
}

const path = (className, points) =>
  `<path class="${className}" d="M${thinned(points)
    .map(([x, y]) => `${round(x)} ${round(y)}`)
    .join("L")}"/>`;

/** Options that show the curves between −2 and 2, in the order of the panels; surrogates without an entry follow, with their defaults. */
const SHOWN = {
  sigmoid: { slope: 4 },
  fastSigmoid: { slope: 4 },
  atan: {},
  erf: {},
  gaussian: {},
  triangular: {},
  boxcar: {},
  superSpike: { alpha: 10 },
  straightThrough: {},
  heaviside: {},
  leakyKReLU: { leak: 0.1 },
  piecewiseLeakyReLU: { c: 0.1 },
  logTailedReLU: {},
  sparseFastSigmoid: { slope: 4, bound: 0.25 },
  circ: { alpha: 0.5 },
  piecewiseExp: { alpha: 2 },
  spikeRateEscape: { beta: 2, slope: 1 },
  periodicExponential: { width: 0.2 },
  nonzeroSignLogAbs: {},
  fakeNumericalGradient: { alpha: 1 },
  qPseudoSpike: {},
  s2nn: {},
  multiGaussian: {},
  squarewaveFourierSeries: { n: 4 },
};

/** Surrogates of others: `custom` has the curve of its caller, `scaled` of its argument. */
const MADE = ["custom", "scaled"];

const SURROGATES = Object.keys({ ...SHOWN, ...surrogate })
  .filter((name) => !MADE.includes(name))
  .map((name) => [name, SHOWN[name] ?? {}]);

const XS = Array.from({ length: 161 }, (_, i) => (i - 80) / 40 + 1e-4);

/** The derivative that backward multiplies by, and the smooth step of `spiking: false`. */
function curvesOf(smooth) {
  const x = tensor(XS, { requiresGrad: true });
  tape(() => snn.spike(x, { surrogate: smooth, threshold: 0 }).sum().backward());
  const Smooth = snn.neuron({
    name: "Smooth",
    state: { v: 0 },
    parameters: {},
    step: ({ current, v, spike }) => ({ spikes: spike(current), v }),
  });
  const step = new Smooth({ surrogate: smooth, spiking: false }).forward(tensor([XS]));
  return [x.grad.toFloat32Array(), step.toFloat32Array()];
}

function surrogatePanel([name, options]) {
  const [derivative, step] = curvesOf(surrogate[name](options));
  const all = [...derivative, ...step, 0];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const [w, h] = [136, 64];
  const at = (values) => XS.map((x, i) => [10 + ((x + 2) / 4) * w, 24 + ((high - values[i]) / (high - low)) * h]);
  const zero = round(24 + (high / (high - low)) * h);
  const text = Object.entries(options).map(([key, value]) => `${key} ${value}`);
  return [
    `<text class="title" x="10" y="14">${name}</text>`,
    `<line class="axis" x1="10" x2="${10 + w}" y1="${zero}" y2="${zero}"/>`,
    `<line class="axis" x1="${10 + w / 2}" x2="${10 + w / 2}" y1="24" y2="${24 + h}"/>`,
    path("step", at(step)),
    path("curve", at(derivative)),
    `<text x="10" y="${24 + h + 15}">${text.join(", ")}</text>`,
  ].join("");
}

const T = 25;
const LEVELS = Array.from({ length: 11 }, (_, i) => i / 10);
const wave = Array.from({ length: T }, (_, t) => LEVELS.map((x) => x * (1 + Math.sin(t / 3)) + 1e-6));

/** Calls by their titles, which begin with the name of the function. */
const CALLS = {
  poissonEncode: (x) => snn.poissonEncode(x, { timesteps: T, generator: new snn.Generator(1) }),
  ttfsEncode: (x) => snn.ttfsEncode(x, { timesteps: T }),
  "latencyEncode, tau 10": (x) =>
    snn.latencyEncode(x, { timesteps: T, tau: 10, threshold: 0.09, bypass: true, clip: true }),
  "phaseEncode, 5 phases": (x) => snn.phaseEncode(x, { timesteps: T, phases: 5 }),
  burstEncode: (x) => snn.burstEncode(x, { timesteps: T, maxInterval: 8 }),
  "populationEncode of 0.3": () =>
    snn.populationEncode(tensor(0.3), { timesteps: T, neurons: LEVELS.length, beta: 0.75 }),
  "deltaEncode of waves": () => snn.deltaEncode(tensor(wave), { threshold: 0.2 }),
  "rateTargets, class 5": () =>
    snn
      .rateTargets([5], { numClasses: LEVELS.length, timesteps: T, correctRate: 0.8, incorrectRate: 0.2 })
      .select(1, 0),
};

/** Encoders of currents, whose values are the same in all steps. */
const CURRENTS = ["constantEncode"];

const CALLED = Object.keys(CALLS).map((title) => title.match(/^\w+/)[0]);

/** The calls above, then each other encoder with its defaults. */
const CODES = [
  ...Object.entries(CALLS),
  ...Object.entries(snn)
    .filter(([name]) => name.endsWith("Encode") && ![...CURRENTS, ...CALLED].includes(name))
    .map(([name, encode]) => [name, (x) => encode(x, { timesteps: T })]),
];

/** One row for each value, the largest on top. */
function codePanel([name, encode]) {
  const marks = encode(tensor(LEVELS))
    .toArray()
    .flatMap((row, t) =>
      row.flatMap((s, i) => (s === 0 ? [] : [`M${14 + 6 * t} ${22 + 8 * (LEVELS.length - 1 - i)}v6`])),
    );
  const bottom = 24 + 8 * LEVELS.length;
  return [
    `<text class="title" x="10" y="14">${name}</text>`,
    `<line class="axis" x1="10" x2="${10 + 6 * T}" y1="${bottom}" y2="${bottom}"/>`,
    `<path class="spikes" d="${marks.join("")}"/>`,
  ].join("");
}

/** The charts by the names of their files. */
export const codingCharts = () => ({
  "surrogates.svg": sheet(
    "Derivatives (thick, blue) and the smooth steps that they are derivatives of (thin, orange), x = u − θ from −2 to 2",
    5,
    [176, 112],
    SURROGATES.map(surrogatePanel),
  ),
  "codes.svg": sheet(
    `Spikes of the values 0, 0.1, …, 1 (from below) over ${T} steps`,
    4,
    [190, 122],
    CODES.map(codePanel),
  ),
});
