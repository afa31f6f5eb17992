/** nano and the package train side by side in the worker, until a press ends it. */
import { element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { pressed } from "../pressed.ts";
import { noSteps, sentenceOf, type Told, withTold } from "./model.ts";
import { paintSides, sidesHeight } from "./paint.ts";

export const mount: Mount = (host, options) => {
  let sides = noSteps();
  const sentence = element("p", { class: "sentence", role: "status" });
  return pressed<Told>(host, options, {
    task: "nano",
    labels: ["Train both", "Go on"],
    drawing: {
      heightFor: sidesHeight,
      paint: (pen, width, _height, palette) => paintSides(pen, sides, width, palette),
    },
    label: "The loss over the steps, of nano and of the package",
    beside: [],
    below: [sentence],
    onBegin() {
      sides = noSteps();
    },
    onMessage(told) {
      sides = withTold(sides, told);
      return true;
    },
    show() {
      sentence.textContent = sentenceOf(sides);
    },
  });
};
