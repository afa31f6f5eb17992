/** The neuron and its credit on a page: a slider lends the slope, the cursor asks a step. */

import { currentPalette } from "../../draw/palette.ts";
import { formatValues, number, parseValues } from "../../state/fields.ts";
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { Clock } from "../../ui/clock.ts";
import { cursor } from "../../ui/cursor.ts";
import { element } from "../../ui/dom.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Mount } from "../figure.ts";
import { slider } from "../slider.ts";
import { Credits, STEPS, sentenceOf, WIDTHS } from "./model.ts";
import { AXIS, paintSlope, rowsOf, SLOPE_HEIGHT } from "./paint.ts";

/** Where the figure begins. */
const START = { at: 50, width: 0.5 };

const fields = { at: number(START.at, 0, STEPS - 1, 1), width: number(START.width, 0, WIDTHS.most, WIDTHS.by) };

/** Milliseconds between two widths, while the slope grows from the step. */
const PACE = 160;

export const mount: Mount = (host, { still, state }) => {
  const credits = new Credits();
  let { at, width } = parseValues(fields, state);
  /** The slope grows until the reader takes over. */
  let isTouched = still || state !== "";
  if (!isTouched) width = 0;
  let scene = credits.at(width, at);

  const picture = element("div", { class: "host slope" });
  const view = new CanvasView(
    picture,
    { heightFor: () => SLOPE_HEIGHT, paint: (pen, width, _height, palette) => paintSlope(pen, scene, width, palette) },
    "The spike as a step over u − θ, the slope that is lent to it, and the smooth step with this slope",
  );
  const stack = new StackView("Current, membrane, and the credit of the past at the cursor");

  const range = { label: "Width of the slope", min: 0, max: WIDTHS.most, step: WIDTHS.by };
  const widthSlider = slider(
    { ...range, show: (each) => (each === 0 ? "0: the step" : each.toFixed(2)) },
    width,
    (chosen) => {
      touch();
      width = chosen;
      show();
    },
  );
  const sentence = element("p", { class: "sentence" });

  function show(): void {
    scene = credits.at(width, at);
    widthSlider.set(width);
    sentence.textContent = sentenceOf(scene);
    stack.show(rowsOf(scene, currentPalette()), AXIS);
    view.update();
  }

  const clock = new Clock(() => {
    width = Number((width + WIDTHS.by).toFixed(2));
    if (width >= START.width) touch();
    show();
  }, PACE);
  const touch = (): void => {
    isTouched = true;
    clock.run(false);
  };
  stack.host.addEventListener("keydown", touch);
  stack.host.addEventListener("pointermove", touch);

  // The step that was asked last stays asked when the pointer leaves.
  cursor.subscribe((share) => {
    if (share === null) cursor.set((at + 0.5) / STEPS);
    else if (cursor.stepOf(STEPS) !== at) {
      at = cursor.stepOf(STEPS);
      show();
    }
  });
  onThemeChange(show);
  host.append(picture, element("div", { class: "sliders" }, widthSlider.node), stack.host, sentence);
  show();
  cursor.set((at + 0.5) / STEPS);
  return {
    play: () => clock.run(!isTouched),
    rest: () => clock.run(false),
    state: () => formatValues(fields, { at, width: isTouched ? width : START.width }),
  };
};
