/** One neuron, alive: the current is the reader's, and the membrane climbs a step at a time. */
import { fieldOf, formatValues, parseValues } from "../../state/fields.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { Clicks } from "../../ui/clicks.ts";
import { Clock } from "../../ui/clock.ts";
import { button, element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { slider } from "../slider.ts";
import { run, STEPS, verdict } from "./model.ts";
import { CURRENT, heightFor, INITIAL, paintRun } from "./picture.ts";

/** Steps a second, and steps for which a whole picture stays. */
const PACE = 14;
const STAY = 14;

const LOST = "The link has the current that flows now. It does not have that of earlier steps.";
const fields = { current: fieldOf(CURRENT, INITIAL) };

export const mount: Mount = (host, { still, state }) => {
  let { current: value } = parseValues(fields, state);
  const currents = new Float32Array(STEPS).fill(value);
  let now = run(currents);
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
  const clicks = new Clicks();
  const control = slider(CURRENT, value, (chosen) => {
    value = chosen;
    words.textContent = verdict(value);
    change(isRunning ? shown() : 0);
  });
  host.append(
    element("div", { class: "sliders" }, control.node),
    picture,
    element("div", { class: "foot" }, toggle, clicks.button, words),
  );
  const view = new CanvasView(
    picture,
    { heightFor, paint: (pen, width, _height, palette) => paintRun(pen, now, shown(), width, palette) },
    "The membrane of a neuron climbs to the threshold, and falls to zero with each spike",
  );

  /** The chosen current flows from this step on. */
  function change(from: number): void {
    now = run(currents.fill(value, from));
    view.update();
  }

  let isSeen = false;
  const clock = new Clock((ms) => {
    const before = shown();
    time += (ms / 1000) * PACE;
    if (time >= STEPS + STAY) {
      time = 0;
      change(0);
    } else if (shown() !== before) {
      view.update();
      if (now.spikes.subarray(before, shown()).includes(1)) clicks.click();
    }
  });
  function follow(): void {
    toggle.textContent = isRunning ? "Pause" : "Play";
    clock.run(isRunning && isSeen);
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
    state: () => formatValues(fields, { current: value }),
    lost: () => (currents.some((current) => current !== currents[0]) ? LOST : null),
    film() {
      isRunning = true;
      time = 0;
      change(0);
      follow();
      return (STEPS + STAY) / PACE;
    },
  };
};
