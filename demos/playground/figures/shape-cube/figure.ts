/** The cube on a page: buttons choose how it is cut, sliders where. */
import { choice, formatValues, number, parseValues } from "../../state/fields.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { Clock } from "../../ui/clock.ts";
import { button, element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { slider } from "../slider.ts";
import { type Axis, type Cut, expressionOf, isFixed, makeSpikes, SIZES, sentenceOf, shapeOf } from "./model.ts";
import { cubeHeight, paintCube } from "./paint.ts";

const TITLES: Readonly<Record<Cut, string>> = {
  step: "One step",
  sample: "One sample",
  neuron: "One neuron",
  train: "One neuron in one sample",
};

const SLIDERS: Readonly<Record<Axis, string>> = { t: "Step t", b: "Sample b", n: "Neuron n" };

/** Milliseconds of a step while time passes. */
const PACE = 450;

const index = (axis: Axis, initial: number) => number(initial, 0, SIZES[axis] - 1, 1);
const fields = {
  cut: choice(Object.keys(TITLES) as Cut[], "step"),
  ...{ t: index("t", 7), b: index("b", 0), n: index("n", 6) },
};

export const mount: Mount = (host, { still, state }) => {
  const spikes = makeSpikes();
  let { cut, ...at } = parseValues(fields, state) as { cut: Cut } & Record<Axis, number>;
  /** Time passes until the reader takes over. */
  let isTouched = still || state !== "";

  const picture = element("div", { class: "host" });
  const view = new CanvasView(
    picture,
    {
      heightFor: cubeHeight,
      paint: (pen, width, _height, palette) => paintCube(pen, { spikes, cut, at }, width, palette),
    },
    "A cube of spikes: time to the right, neurons down, samples one behind the other; beside it the chosen cut",
  );

  const clock = new Clock(() => {
    at.t = (at.t + 1) % SIZES.t;
    show();
  }, PACE);
  const touch = (): void => {
    isTouched = true;
    clock.run(false);
  };

  const buttons = (Object.keys(TITLES) as Cut[]).map((each) =>
    button(
      TITLES[each],
      () => {
        touch();
        cut = each;
        show();
      },
      { "data-cut": each },
    ),
  );
  const sliders = (Object.keys(SLIDERS) as Axis[]).map((axis) => {
    const range = { label: SLIDERS[axis], min: 0, max: SIZES[axis] - 1, step: 1, show: String };
    const made = slider(range, at[axis], (value) => {
      touch();
      at[axis] = value;
      show();
    });
    return { axis, ...made };
  });
  const code = element("code");
  const sentence = element("p", { class: "sentence" });

  function show(): void {
    for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.cut === cut));
    for (const { axis, node, set } of sliders) {
      node.hidden = !isFixed(cut, axis);
      set(at[axis]);
    }
    code.textContent = `${expressionOf(cut, at)} // shape [${shapeOf(cut).join(", ")}]`;
    sentence.textContent = sentenceOf(spikes, cut, at);
    view.update();
  }

  const choices = element("div", { class: "controls", role: "group", "aria-label": "How the cube is cut" }, ...buttons);
  host.append(
    picture,
    choices,
    element("div", { class: "sliders" }, ...sliders.map(({ node }) => node)),
    element("p", {}, code),
    sentence,
  );
  show();
  return {
    play: () => clock.run(!isTouched),
    rest: () => clock.run(false),
    state: () => (isTouched ? formatValues(fields, { cut, ...at }) : ""),
    film() {
      clock.run(true);
      return 8;
    },
  };
};
