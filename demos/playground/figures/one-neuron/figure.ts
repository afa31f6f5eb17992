/** One neuron under a constant current: run and f–I curve follow three sliders. */

import { currentPalette } from "../../draw/palette.ts";
import { fieldOf, formatValues, parseValues } from "../../state/fields.ts";
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { element } from "../../ui/dom.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Mount } from "../figure.ts";
import { slider } from "../slider.ts";
import { rateCurve, respond, type Setting } from "./model.ts";
import { AXIS, CURVE_HEIGHT, CURVE_TITLE, INITIAL, paintCurve, RANGES, rowsOf } from "./picture.ts";

const fields = {
  current: fieldOf(RANGES.current, INITIAL.current),
  tau: fieldOf(RANGES.tau, INITIAL.tau),
  threshold: fieldOf(RANGES.threshold, INITIAL.threshold),
};

export const mount: Mount = (host, { state }) => {
  let setting: Setting = parseValues(fields, state);
  let curve = rateCurve(setting);
  const stack = new StackView("One neuron over time");
  const curveHost = element("div", { class: "host" });
  const curveView = new CanvasView(
    curveHost,
    {
      heightFor: () => CURVE_HEIGHT,
      paint: (pen, width, _height, palette) => paintCurve(pen, curve, setting, width, palette),
    },
    CURVE_TITLE,
  );
  const show = (): void => stack.show(rowsOf(respond(setting), setting, currentPalette()), AXIS);
  const sliders = Object.entries(RANGES).map(([name, range]) =>
    slider(range, setting[name as keyof Setting], (value) => {
      setting = { ...setting, [name]: value };
      // The curve is of all currents.
      if (name !== "current") curve = rateCurve(setting);
      show();
      curveView.update();
    }),
  );
  host.append(
    element("div", { class: "sliders" }, ...sliders.map(({ node }) => node)),
    stack.host,
    element("p", { class: "caption" }, CURVE_TITLE),
    curveHost,
  );
  onThemeChange(show);
  show();
  // Nothing moves but at the reader's hand.
  return { play() {}, rest() {}, state: () => formatValues(fields, { ...setting }) };
};
