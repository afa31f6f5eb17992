/** A direction that spikes remember: the reader sets it by a finger, pushes it, and silences it. */

import { STORY_MS } from "../../../ring/bump.ts";
import { turnOf } from "../../../ring/network.ts";
import { count } from "../../draw/numbers.ts";
import { fieldOf, formatValues, level, nearest, number, parseValues } from "../../state/fields.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { Clock } from "../../ui/clock.ts";
import { button, element, reading } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { type Range, slider } from "../slider.ts";
import { directionAt, paintRing, ringHeight } from "./paint.ts";
import { Play } from "./play.ts";
import { ANGLE, PUSH, SIZES } from "./settings.ts";

const SIZE = level(256, SIZES);
const fields = { angle: number(ANGLE, 0, 359, 1), size: SIZE, push: fieldOf(PUSH, 0) };

const NEURONS: Range = {
  label: "Neurons of each ring",
  min: 0,
  max: SIZES.length - 1,
  step: 1,
  show: (i) => String(SIZES[i]),
};

/** Degrees of a key. */
const KEYS: Record<string, number> = {
  ArrowLeft: -5,
  ArrowDown: -5,
  ArrowRight: 5,
  ArrowUp: 5,
  PageDown: -45,
  PageUp: 45,
};
/** Milliseconds of a frame at most: the time of the ring is slower where a frame takes longer. */
const MOST_MS = 100;
const LOST =
  "The link has the last direction that you set, the size and the push. It does not have what you did before and since.";

const whole = (degrees: number): number => nearest(fields.angle, (Math.round(degrees) + 720) % 360);

export const mount: Mount = (host, { still, state }) => {
  const linked = parseValues(fields, state);
  let { size, angle } = linked;
  let play = new Play(linked);
  let isTouched = false;
  /** The last silence was later than the last cue. */
  let isErased = false;
  let isRunning = !still;
  let isSeen = false;
  /** Milliseconds that have passed and are not computed. */
  let debt = 0;

  const picture = element("div", {
    class: "host",
    tabindex: "0",
    role: "slider",
    "aria-label": "Direction of the ring in degrees",
    "aria-valuemin": "0",
    "aria-valuemax": "359",
  });
  const view = new CanvasView(
    picture,
    { heightFor: ringHeight, paint: (pen, width, _height, palette) => paintRing(pen, play, width, palette) },
    "Spikes on a ring: now at the rim, three seconds ago in the middle",
  );
  const toggle = button("", () => {
    if (still) return leap();
    isRunning = !isRunning;
    follow();
  });
  const silence = button(
    "Silence it for 50 ms",
    () => {
      play.silence();
      isErased = true;
      act();
      if (still) leap();
    },
    { class: "primary", "data-action": "silence" },
  );
  const readings = element("span", { class: "readings" });
  const sentence = element("p", { class: "sentence" });
  const push = slider(PUSH, linked.push, (value) => {
    play.push = value;
    act();
  });
  const neurons = slider(NEURONS, SIZES.indexOf(size), (i) => {
    size = SIZES[i] as number;
    play = new Play({ angle, size, push: play.push });
    isErased = false;
    act();
    if (still) leap();
  });
  host.append(
    picture,
    element("div", { class: "controls" }, silence, toggle, readings),
    element("div", { class: "sliders" }, push.node, neurons.node),
    sentence,
  );

  /** The reader has done something. */
  function act(): void {
    isTouched = true;
    show();
  }

  const clock = new Clock((ms) => {
    debt = Math.min(MOST_MS, debt + ms);
    const passed = Math.floor(debt);
    debt -= passed;
    play.pass(passed);
    show();
  });

  function follow(): void {
    toggle.textContent = still ? "3 s later" : isRunning ? "Pause" : "Go on";
    clock.run(isRunning && isSeen);
  }

  /** Three seconds in one picture, where motion is unwanted. */
  function leap(): void {
    play.pass(STORY_MS);
    show();
  }

  function set(degrees: number): void {
    angle = whole(degrees);
    isErased = false;
    play.hold(angle);
    act();
  }

  function release(): void {
    play.release();
    if (still) leap();
  }

  function show(): void {
    const { direction, left, leftTime, time } = play;
    const degrees = direction === null ? null : whole(direction);
    const drift = direction === null || left === null ? null : Math.round(turnOf(direction - left));
    const after = left === null ? "" : ` after ${((time - leftTime) / 1000).toFixed(1)} s`;
    const shown = (value: number | null): string => (value === null ? "–" : `${count(value)}°`);
    readings.replaceChildren(
      reading("the spikes", shown(degrees), "direction"),
      reading("the last cue", shown(left), "left"),
      reading(`apart${after}`, shown(drift), "drift"),
    );
    if (degrees !== null) picture.setAttribute("aria-valuenow", String(degrees));
    sentence.textContent = words();
    view.update();
  }

  function words(): string {
    const { cue } = play;
    if (isErased) return "The silence has emptied the synapses. Noise alone chooses where the next bump grows.";
    if (cue !== null) return `A cue at ${whole(cue)}° excites the neurons there.`;
    return "The cue is over: spikes excite the neurons that made them, and keep the direction.";
  }

  const locate = (event: PointerEvent): number | null => {
    const box = picture.getBoundingClientRect();
    return directionAt(event.clientX - box.left, event.clientY - box.top, box.width);
  };
  let isHolding = false;
  const drag = (event: PointerEvent): void => {
    const degrees = locate(event);
    if (isHolding && degrees !== null) set(degrees);
  };
  picture.addEventListener("pointerdown", (event) => {
    if (locate(event) === null) return;
    isHolding = true;
    picture.setPointerCapture(event.pointerId);
    drag(event);
  });
  picture.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"])
    picture.addEventListener(end, () => {
      if (isHolding) release();
      isHolding = false;
    });
  picture.addEventListener("keydown", (event) => {
    const by = KEYS[event.key];
    if (by === undefined) return;
    set((play.cue ?? play.direction ?? angle) + by);
    release();
    event.preventDefault();
  });

  if (still) leap();
  show();
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
    state: () => formatValues(fields, { angle, size, push: play.push }),
    lost: () => (isTouched ? LOST : null),
    inNode() {
      const { hash } = play;
      if (isTouched || hash === null) return null;
      const flags = `--neurons=${size} --angle=${angle} --push=${play.push}`;
      return `Hash ${hash.toString(16).padStart(8, "0")} of the first 3 s. The same in Node: npm run demo -- ring ${flags}`;
    },
    get film() {
      return isRunning ? () => 8 : undefined;
    },
  };
};
