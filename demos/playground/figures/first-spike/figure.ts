/** One neuron, alive: the current is the reader's, and the membrane climbs a step at a time. */
import { CanvasView } from "../../ui/canvas.ts";
import { button, element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { currentPalette } from "../palette.ts";
import { slider } from "../slider.ts";
import { run, STEPS, verdict } from "./model.ts";
import { CURRENT, heightFor, INITIAL, paintRun } from "./picture.ts";

/** Steps a second, and steps for which a whole picture stays. */
const PACE = 14;
const STAY = 14;

export const mount: Mount = (host, { still }) => {
  const currents = new Float32Array(STEPS).fill(INITIAL);
  let now = run(currents);
  let value = INITIAL;
  /** Time passes; else all steps are shown. */
  let isRunning = !still;
  let time = 0;
  const shown = (): number => (isRunning ? Math.min(STEPS, Math.floor(time)) : STEPS);

  const picture = element("div", { class: "host" });
  const words = element("output", { "aria-live": "polite" }, verdict(value));
  const toggle = button("", () => {
    isRunning = !isRunning;
    time = 0;
    change(0);
    follow();
  });
  const control = slider(CURRENT, value, (chosen) => {
    value = chosen;
    words.textContent = verdict(value);
    change(isRunning ? shown() : 0);
  });
  host.append(element("div", { class: "sliders" }, control), picture, element("div", { class: "foot" }, toggle, words));
  const view = new CanvasView(
    picture,
    { heightFor, paint: (pen, width) => paintRun(pen, now, shown(), width, currentPalette()) },
    "The membrane of a neuron climbs to the threshold, and falls to zero with each spike",
  );

  /** The chosen current flows from this step on. */
  function change(from: number): void {
    now = run(currents.fill(value, from));
    view.update();
  }

  let frame = 0;
  let isSeen = false;
  function follow(): void {
    cancelAnimationFrame(frame);
    toggle.textContent = isRunning ? "Pause" : "Play";
    if (!isRunning || !isSeen) return;
    let last = performance.now();
    const advance = (at: number): void => {
      frame = requestAnimationFrame(advance);
      const before = shown();
      time += (Math.max(0, at - last) / 1000) * PACE;
      last = at;
      if (time >= STEPS + STAY) {
        time = 0;
        change(0);
      } else if (shown() !== before) view.update();
    };
    frame = requestAnimationFrame(advance);
  }
  follow();
  return {
    play() {
      isSeen = true;
      follow();
    },
    rest() {
      isSeen = false;
      follow();
    },
  };
};
