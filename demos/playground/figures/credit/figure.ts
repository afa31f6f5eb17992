/** The neuron and its credit on a page: a slider lends the slope, the cursor asks a step. */
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { cursor } from "../../ui/cursor.ts";
import { element } from "../../ui/dom.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Mount } from "../figure.ts";
import { currentPalette } from "../palette.ts";
import { Credits, STEPS, sentenceOf, WIDTHS } from "./model.ts";
import { AXIS, paintSlope, rowsOf, SLOPE_HEIGHT } from "./paint.ts";

/** Where the figure begins. */
const START = { at: 50, width: 0.5 };

/** Milliseconds between two widths, while the slope grows from the step. */
const PACE = 160;

export const mount: Mount = (host, { still }) => {
  const credits = new Credits();
  let at = START.at;
  let width = still ? START.width : 0;
  let scene = credits.at(width, at);
  let timer: ReturnType<typeof setInterval> | undefined;
  /** The slope grows until the reader takes over. */
  let isTouched = still;

  const picture = element("div", { class: "host slope" });
  const view = new CanvasView(
    picture,
    { heightFor: () => SLOPE_HEIGHT, paint: (pen, width) => paintSlope(pen, scene, width, currentPalette()) },
    "The spike as a step over u − θ, the slope that is lent to it, and the smooth step with this slope",
  );
  const stack = new StackView("Current, membrane, and the credit of the past at the cursor");

  const input = element("input", {
    type: "range",
    min: "0",
    max: String(WIDTHS.most),
    step: String(WIDTHS.by),
    "data-width": "",
  });
  const value = element("output");
  const sentence = element("p", { class: "sentence" });

  function show(): void {
    scene = credits.at(width, at);
    input.value = String(width);
    value.textContent = width === 0 ? "0: the step" : width.toFixed(2);
    sentence.textContent = sentenceOf(scene);
    stack.show(rowsOf(scene, currentPalette()), AXIS);
    view.update();
  }

  const rest = (): void => clearInterval(timer);
  const touch = (): void => {
    isTouched = true;
    rest();
  };
  input.addEventListener("input", () => {
    touch();
    width = Number(input.value);
    show();
  });
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
  host.append(
    picture,
    element("div", { class: "controls" }, element("label", { class: "slider" }, "width of the slope ", input, value)),
    stack.host,
    sentence,
  );
  show();
  cursor.set((at + 0.5) / STEPS);
  return {
    play() {
      if (isTouched) return;
      rest();
      timer = setInterval(() => {
        width = Number((width + WIDTHS.by).toFixed(2));
        if (width >= START.width) touch();
        show();
      }, PACE);
    },
    rest,
  };
};
