/** The cube on a page: buttons choose how it is cut, sliders where. */
import { CanvasView } from "../../ui/canvas.ts";
import { button, element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { currentPalette } from "../palette.ts";
import { type Axis, type Cut, expressionOf, isFixed, makeSpikes, SIZES, sentenceOf, shapeOf } from "./model.ts";
import { cubeHeight, paintCube } from "./paint.ts";

const TITLES: Readonly<Record<Cut, string>> = {
  step: "One step",
  sample: "One sample",
  neuron: "One neuron",
  train: "One neuron in one sample",
};

const SLIDERS: Readonly<Record<Axis, string>> = { t: "step t", b: "sample b", n: "neuron n" };

/** Milliseconds of a step while time passes. */
const PACE = 450;

export const mount: Mount = (host, { still }) => {
  const spikes = makeSpikes();
  let cut: Cut = "step";
  const at = { t: 7, b: 0, n: 6 };
  let timer: ReturnType<typeof setInterval> | undefined;
  /** Time passes until the reader takes over. */
  let isTouched = still;

  const picture = element("div", { class: "host" });
  const view = new CanvasView(
    picture,
    {
      heightFor: cubeHeight,
      paint: (pen, width) => paintCube(pen, { spikes, cut, at }, width, currentPalette()),
    },
    "A cube of spikes: time to the right, neurons down, samples one behind the other; beside it the chosen cut",
  );

  const rest = (): void => clearInterval(timer);
  const touch = (): void => {
    isTouched = true;
    rest();
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
    const input = element("input", { type: "range", min: "0", max: String(SIZES[axis] - 1), "data-axis": axis });
    const value = element("output");
    input.addEventListener("input", () => {
      touch();
      at[axis] = Number(input.value);
      show();
    });
    const label = element("label", { class: "slider" }, `${SLIDERS[axis]} `, input, value);
    return { axis, input, value, label };
  });
  const code = element("code");
  const sentence = element("p", { class: "sentence" });

  function show(): void {
    for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.cut === cut));
    for (const { axis, input, value, label } of sliders) {
      label.hidden = !isFixed(cut, axis);
      input.value = String(at[axis]);
      value.textContent = String(at[axis]);
    }
    code.textContent = `${expressionOf(cut, at)} // shape [${shapeOf(cut).join(", ")}]`;
    sentence.textContent = sentenceOf(spikes, cut, at);
    view.update();
  }

  const choices = element("div", { class: "controls", role: "group", "aria-label": "How the cube is cut" }, ...buttons);
  host.append(
    picture,
    choices,
    element("div", { class: "controls" }, ...sliders.map(({ label }) => label)),
    element("p", {}, code),
    sentence,
  );
  show();
  return {
    play() {
      if (isTouched) return;
      rest();
      timer = setInterval(() => {
        at.t = (at.t + 1) % SIZES.t;
        show();
      }, PACE);
    },
    rest,
  };
};
