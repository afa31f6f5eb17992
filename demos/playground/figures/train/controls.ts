/** The figure's configuration as a text in which every word can be changed. */
import { count } from "../../draw/numbers.ts";
import { type Cells, hasSetting } from "../../model/cell-traits.ts";
import { isPlanar, MOST_POTENTIALS, mostTimesteps, type TrainConfig, trainFields } from "../../model/train-fields.ts";
import { level, number, type Values } from "../../state/fields.ts";
import type { Store } from "../../state/store.ts";
import { button, element } from "../../ui/dom.ts";
import { type Control, phrase, prose, scrub } from "../../ui/prose.ts";

/** The configuration of the run, and what is looked at. */
export const figureFields = {
  ...trainFields,
  sample: number(1, 1, 1000, 1),
  /** A point of the unit square instead of the sample; −1 while there is none. */
  px: number(-1, -1, 1, 0.01),
  py: number(-1, -1, 1, 0.01),
  layer: number(1, 1, 3, 1),
  neuron: number(1, 1, 256, 1),
  pace: level(60, [1, 5, 20, 60, 200, 0]),
  /** Steps to take at once when a shared link is opened. */
  steps: number(0, 0, 1_000_000, 1),
} as const;

export type FigureValues = Values<typeof figureFields>;

/** The nearest values that suit each other: no neuron beyond its layer, no point beyond the square, no run beyond the memory. */
export function confined(values: FigureValues): FigureValues {
  const { layers, px, py } = values;
  const layer = Math.min(values.layer, layers.length);
  const inside = isPlanar(values.data) && px >= 0 && py >= 0;
  return {
    ...values,
    timesteps: Math.min(values.timesteps, mostTimesteps(layers)),
    layer,
    neuron: Math.min(values.neuron, layers[layer - 1] as number),
    px: inside ? px : -1,
    py: inside ? py : -1,
  };
}

type FigureStore = Store<typeof figureFields>;

const dataNames: Record<TrainConfig["data"], string> = {
  moons: "two moons",
  circles: "two circles",
  xor: "four quarters (xor)",
  spirals: "two spirals",
  linear: "two sides of a plane, in 32 numbers",
  mnist: "handwritten digits",
};

const encodeNames: Record<TrainConfig["encode"], string> = {
  ttfs: "the time of one spike",
  poisson: "the rate of random spikes",
  constant: "a constant current",
};

const cellNames: Record<Cells, string> = {
  LIF: "leaky (LIF)",
  IF: "without a leak (IF)",
  Lapicque: "of R and C (Lapicque)",
  ParametricLIF: "of learned leak (ParametricLIF)",
  KLIF: "of learned gain (KLIF)",
  Synaptic: "with lasting currents (Synaptic)",
  Alpha: "with alpha currents (Alpha)",
  AdaptiveLIF: "tiring (AdaptiveLIF)",
  AdLIF: "resonant, tiring (AdLIF)",
  QuadraticIF: "quadratic (QuadraticIF)",
  ExponentialIF: "exponential (ExponentialIF)",
  AdEx: "exponential, tiring (AdEx)",
  Izhikevich: "of Izhikevich (Izhikevich)",
  ConductanceLIF: "with channels (ConductanceLIF)",
  ResonateAndFire: "resonant (ResonateAndFire)",
};

const linkNames: Record<TrainConfig["links"], string> = {
  forward: "feed the next layer",
  recurrent: "feed the next layer and their own",
};

const resetNames: Record<TrainConfig["reset"], string> = {
  subtract: "minus the threshold",
  zero: "to zero",
  none: "not at all",
};

const slopeName: Record<TrainConfig["surrogate"], string> = {
  fastSigmoid: "fast sigmoid",
  sigmoid: "sigmoid",
  atan: "arctan",
  triangular: "triangle",
  boxcar: "box",
};

const optimizerNames: Record<TrainConfig["optimizer"], string> = {
  adam: "Adam",
  adamw: "AdamW",
  sgd: "SGD with momentum",
  rmsprop: "RMSprop",
};

const oneOf =
  <K extends string>(names: Record<K, string>) =>
  (key: K): string =>
    names[key];

export function trainControls(store: FigureStore): HTMLElement {
  const points = phrase(
    store,
    " scattered by ",
    { field: "noise", label: "noise of the points" },
    ", each coordinate seen by ",
    {
      field: "fields",
      label: "receptive fields a coordinate",
      show: (n: number) => (n === 1 ? "no receptive field" : `${n} receptive fields`),
    },
  );
  const decay = phrase(
    store,
    " They keep ",
    { field: "beta", label: "decay beta", show: (beta: number) => `β = ${beta}` },
    " of their potential each step.",
  );
  const firing = phrase(store, " They fire at ", { field: "threshold", label: "threshold" }, ".");
  const falling = phrase(store, "fall back ", { field: "reset", label: "reset", show: oneOf(resetNames) }, " and ");
  const limit = element("p", { class: "limit" });
  const node = element(
    "section",
    { class: "configuration", "aria-label": "Configuration" },
    element("h2", {}, "Learn"),
    prose(store, "Tell apart ", { field: "data", label: "data", show: oneOf(dataNames) }, points, "."),
    element("h2", {}, "Encode"),
    prose(
      store,
      "Write each value as ",
      { field: "encode", label: "code of the inputs", show: oneOf(encodeNames) },
      " within ",
      { field: "timesteps", label: "time steps", most: () => mostTimesteps(store.values.layers) },
      " time steps.",
    ),
    limit,
    element("h2", {}, "Network"),
    layersSentence(store),
    prose(
      store,
      "Neurons are ",
      { field: "cells", label: "kind of neurons", show: oneOf(cellNames) },
      " and ",
      { field: "links", label: "connections", show: oneOf(linkNames) },
      ".",
      decay,
      firing,
      " After a spike they ",
      falling,
      "rest for ",
      { field: "refractory", label: "refractory steps", show: (n: number) => `${n} ${n === 1 ? "step" : "steps"}` },
      ".",
    ),
    prose(
      store,
      "The readout looks at ",
      {
        field: "readout",
        label: "readout",
        show: (kind: string) => (kind === "rate" ? "firing rates" : "the largest leaky sum"),
      },
      ". It has decided where it keeps more than half of its final lead.",
    ),
    element("h2", {}, "Training"),
    prose(
      store,
      "Where a spike has no slope, pretend the one of a ",
      { field: "surrogate", label: "surrogate", show: oneOf(slopeName) },
      " of steepness ",
      { field: "slope", label: "steepness of the surrogate" },
      ".",
    ),
    prose(
      store,
      { field: "optimizer", label: "optimizer", show: oneOf(optimizerNames) },
      " with learning rate ",
      { field: "lr", label: "learning rate" },
      " on batches of ",
      { field: "batch", label: "batch size" },
      ", from seed ",
      { field: "seed", label: "seed" },
      ".",
    ),
  );
  const refresh = (): void => {
    const { data, layers, timesteps } = store.values;
    points.hidden = !isPlanar(data);
    decay.hidden = !hasSetting(store.values, "beta");
    firing.hidden = !hasSetting(store.values, "threshold");
    falling.hidden = !hasSetting(store.values, "reset");
    const most = mostTimesteps(layers);
    limit.hidden = most === trainFields.timesteps.max || timesteps < most;
    limit.textContent = `With so many neurons ${most} time steps are the most: this page computes up to ${count(MOST_POTENTIALS)} potentials a sample.`;
  };
  store.subscribe(refresh);
  refresh();
  return node;
}

/** "Layers of 24 and 16 neurons", with buttons for one more or fewer. */
function layersSentence(store: FigureStore): HTMLElement {
  const { min, max, most } = trainFields.layers;
  const node = element("p", { class: "prose" });
  const range = number(min, min, max, 1);
  const set = (layers: readonly number[]): void => {
    store.set({ layers });
  };
  let shown = "";
  let controls: Control[] = [];
  const build = (): void => {
    const { layers } = store.values;
    controls = layers.map((_, i) =>
      scrub(
        () => range,
        `neurons in layer ${i + 1}`,
        String,
        () => store.values.layers[i] ?? min,
        (size) => set(store.values.layers.map((old, k) => (k === i ? size : old))),
      ),
    );
    const words: (Node | string)[] = [
      layers.length === 1 ? "One layer of " : `${layers.length === 2 ? "Two" : "Three"} layers of `,
    ];
    for (const [i, { node: word }] of controls.entries()) {
      word.style.setProperty("--hue", `var(--layer-${i + 1})`);
      if (i > 0) words.push(i === controls.length - 1 ? " and " : ", ");
      words.push(word);
    }
    words.push(" neurons. ");
    const more = button("+", () => set([...store.values.layers, 16]), { "aria-label": "one more layer" });
    const fewer = button("−", () => set(store.values.layers.slice(0, -1)), { "aria-label": "one layer fewer" });
    more.disabled = layers.length === most;
    fewer.disabled = layers.length === 1;
    node.replaceChildren(...words, element("span", { class: "kept" }, fewer, " ", more));
  };
  const refresh = (): void => {
    const count = String(store.values.layers.length);
    // Sizes change in place, so that a drag goes on.
    if (count !== shown) build();
    else for (const control of controls) control.refresh();
    shown = count;
  };
  store.subscribe((changed) => {
    if (changed.has("layers")) refresh();
  });
  refresh();
  return node;
}

/** The sentence that names the subject, a test sample or a point of the plane, and the watched neuron. */
export function subjectSentence(store: FigureStore, tests: () => number): HTMLElement {
  const point = element("span");
  const [test, instead] = [element("span", {}, "Test sample "), element("span", {}, " instead of test sample ")];
  const refresh = (): void => {
    const { px, py } = store.values;
    const picked = px >= 0;
    point.textContent = `The point (${px.toFixed(2)}, ${py.toFixed(2)})`;
    for (const node of [point, instead]) node.hidden = !picked;
    test.hidden = picked;
  };
  store.subscribe(refresh);
  refresh();
  return prose(
    store,
    point,
    test,
    instead,
    { field: "sample", label: "test sample", most: tests },
    ", and neuron ",
    { field: "neuron", label: "neuron", most: () => store.values.layers[store.values.layer - 1] as number },
    " of layer ",
    { field: "layer", label: "layer", most: () => store.values.layers.length },
    ".",
  );
}
