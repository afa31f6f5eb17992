/** The window of a rule, drawn by hand: one drags two spikes, and each pair leaves its point of the curve. */
import { formatValues, number, parseValues } from "../../state/fields.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { Clock } from "../../ui/clock.ts";
import { element } from "../../ui/dom.ts";
import { signal } from "../../ui/signal.ts";
import type { Mount } from "../figure.ts";
import { Task } from "../worker/client.ts";
import type { WindowMessage } from "../worker/rules/stdp-window.ts";
import { HEIGHT, laneAt, type Pair, paintWindow, RANGE, REACH, timeAt, timeBetween } from "./paint.ts";

/** Milliseconds of real time between two milliseconds of the spike, while it moves by itself. */
const PACE = 60;

const LOST = "The link has where the spikes are. It does not have the points that they have left.";

const time = (initial: number) => number(initial, -REACH, REACH, 1);
const fields = { before: time(-8), behind: time(4) };

export const mount: Mount = (host, { still, state }) => {
  const pair: { -readonly [K in keyof Pair]: Pair[K] } = { ...parseValues(fields, state) };
  const drawn = new Set<number>();
  let changes = new Float32Array();
  let held: keyof Pair | null = null;
  /** Until a reader takes a spike, that of the field moves to and fro. */
  let way = 1;

  const sentence = element("p", { class: "sentence" });
  const picture = element("div", {
    class: "host",
    tabindex: "0",
    role: "slider",
    "aria-label": "Time from the spike of the pixel to the spike of the field, in ms",
    "aria-valuemin": String(-RANGE),
    "aria-valuemax": String(RANGE),
  });
  const view = new CanvasView(
    picture,
    {
      heightFor: () => HEIGHT,
      paint: (pen, width, _height, palette) => paintWindow(pen, { ...pair, changes, drawn, held }, width, palette),
    },
    "Two spikes, and the change of the weight over the time between them",
  );

  function move(spike: keyof Pair, time: number): void {
    pair[spike] = Math.min(REACH, Math.max(-REACH, Math.round(time)));
    drawn.add(timeBetween(pair));
    show();
  }

  function show(): void {
    const time = timeBetween(pair);
    const change = changes[time + RANGE];
    const order =
      time > 0 ? `${time} ms after the pixel` : time < 0 ? `${-time} ms before the pixel` : "together with the pixel";
    const verb = change === undefined ? "" : change >= 0 ? "grows" : "shrinks";
    sentence.textContent =
      change === undefined ? "" : `The field fires ${order}: the weight ${verb} by ${Math.abs(change).toFixed(4)}.`;
    picture.setAttribute("aria-valuenow", String(time));
    picture.setAttribute("aria-valuetext", sentence.textContent);
    view.update();
  }

  const clock = new Clock(() => {
    if (Math.abs(pair.behind + way) > REACH) way = -way;
    move("behind", pair.behind + way);
  }, PACE);
  let isTouched = still || state !== "";
  const touch = (): void => {
    isTouched = true;
    clock.run(false);
  };
  const drag = ({ clientX }: PointerEvent): void => {
    const { left, width } = picture.getBoundingClientRect();
    if (held !== null) move(held, timeAt(clientX - left, width));
  };
  picture.addEventListener("pointerdown", (event) => {
    touch();
    held = laneAt(event.clientY - picture.getBoundingClientRect().top);
    picture.setPointerCapture(event.pointerId);
    drag(event);
  });
  picture.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"])
    picture.addEventListener(end, () => {
      held = null;
      show();
    });
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (by === undefined) return;
    touch();
    move("behind", pair.behind + by);
    event.preventDefault();
  });
  const { given: settled, give: settle } = signal();
  const task = new Task(
    "stdp-window",
    {},
    {
      onMessage(message: WindowMessage) {
        changes = message.changes as Float32Array<ArrayBuffer>;
        show();
        settle();
      },
      onProblem: (message) => {
        sentence.textContent = message;
      },
    },
  );
  host.append(picture, sentence);
  show();
  return {
    play() {
      task.play();
      clock.run(!isTouched);
    },
    rest() {
      task.rest();
      clock.run(false);
    },
    settled,
    state: () => (isTouched ? formatValues(fields, pair) : ""),
    lost: () => (isTouched && drawn.size > 1 ? LOST : null),
    film() {
      clock.run(true);
      return 8;
    },
  };
};
