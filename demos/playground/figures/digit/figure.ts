/** Draw a digit: a pad, and the wave of spikes that answers. Until the reader draws, a hand writes digits of its own. */
import type { Point, Strokes } from "../../model/image.ts";
import { SIDE } from "../../model/image.ts";
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { button, element } from "../../ui/dom.ts";
import { type Movement, Pad } from "../../ui/pad.ts";
import type { Living, Mount } from "../figure.ts";
import { currentPalette } from "../palette.ts";
import { handwriting, partOf, type Written } from "./hand.ts";
import { distance } from "./ink.ts";
import { Reader, TIMESTEPS, type Wave } from "./net.ts";
import { END, paintPad, shownAt, WavePainter } from "./wave.ts";
import { decodeWeights } from "./weights.ts";
import { answerOf, costOf, stepAt } from "./words.ts";

export const mount: Mount = async (host, { still }) => {
  const address = new URL("./weights.bin", import.meta.url);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`weights: expected a file at ${address}, got status ${response.status}`);
  return new DigitFigure(host, new Reader(decodeWeights(new Uint8Array(await response.arrayBuffer()))), still);
};

/** Milliseconds of a step, of the pen between paper and wave, and of a picture that is complete. */
const STEP = 75;
const PAUSE = 250;
const HOLD = 1600;
/** The length of a line that the hand writes in a second, as a share of the pad. */
const SPEED = 1.5;
/** A frame that took longer has had a pause before it. */
const LONGEST = 100;
/** Milliseconds after which a pointer begins another drawing, and does not add to the last one. */
const ANOTHER = 2500;
/** The time before a wave. */
const BEFORE = -1;
/** Points of a line are no nearer to each other, an eraser takes lines that pass it this closely, and keys draw on from a point so near. */
const NEAR = 0.004;
const ERASER = 1 / SIDE;
const BESIDE = 1.6 / SIDE;
/** The height of a wave beside the pad, whose width is a share of all, and the least one. */
const GAP = 32;
const SHARE = 0.27;
const LEAST = 230;

class DigitFigure implements Living {
  private readonly reader: Reader;
  private readonly still: boolean;
  /** The hand writes until the reader draws; `clock` counts the milliseconds of its digit. */
  private turn: "hand" | "reader" = "hand";
  private digit = 0;
  private clock = 0;
  private strokes: Strokes = [];
  private wave: Wave | null = null;
  private time = BEFORE;
  /** Whether time passes in the wave of the reader. */
  private runs = false;
  private isDown = false;
  private lifted = 0;
  private plays = false;
  private request = 0;
  private last = 0;
  private readonly pad: Pad;
  private readonly view: CanvasView;
  private readonly answer = element("output", { class: "answer", "aria-hidden": "true" });
  private readonly hint = element("p", { class: "hint" });
  private readonly cost = element("p", { class: "cost" });
  private readonly status = element("p", { class: "unseen", role: "status" });
  private readonly slider = element("input", {
    type: "range",
    min: "0",
    max: String(TIMESTEPS),
    step: "1",
  });

  constructor(host: HTMLElement, reader: Reader, still: boolean) {
    this.reader = reader;
    this.still = still;
    this.pad = new Pad(
      (movement) => this.draw(movement),
      (pen, width) => {
        const box = { x: 0, y: 0, width, height: width };
        paintPad(pen, this.strokes, box, currentPalette(), this.turn === "hand" && this.wave === null);
      },
    );
    for (const end of ["pointerup", "pointercancel"]) this.pad.host.addEventListener(end, () => this.lift());
    const waveHost = element("div", { class: "host" });
    this.view = new CanvasView(
      waveHost,
      {
        heightFor: (width) => Math.max(LEAST, Math.round((width + GAP) * (SHARE / (1 - SHARE)))),
        paint: (pen, width, height) => {
          const box = { x: 0, y: 0, width, height };
          new WavePainter(this.wave, this.reader.places, box, currentPalette()).paint(pen, this.time);
        },
      },
      "Spikes of pixels and of hidden neurons, and the membranes of ten digits",
    );
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    const clear = button("Clear", () => this.clear());
    const steps = still ? [button("Next step", () => this.next())] : [];
    host.append(
      this.pad.host,
      element("div", { class: "turn" }, this.answer, this.hint, element("div", { class: "buttons" }, clear, ...steps)),
      waveHost,
      element("div", { class: "under" }, element("label", {}, "time step", this.slider), this.cost, this.status),
    );
    onThemeChange(() => this.show());
    // The first digit stands there already, and its wave begins at once.
    this.write(this.written);
    if (!still) {
      this.clock = this.writing + PAUSE;
      this.time = 0;
    }
    this.show();
  }

  play(): void {
    this.plays = true;
    this.last = performance.now();
    this.move();
  }

  rest(): void {
    this.plays = false;
    cancelAnimationFrame(this.request);
    this.request = 0;
  }

  private get written(): Written {
    return handwriting[this.digit] as Written;
  }

  /** Milliseconds in which the hand writes its digit. */
  private get writing(): number {
    return (1000 * this.written.length) / SPEED;
  }

  /** Whether something changes by itself. */
  private get isMoving(): boolean {
    return this.plays && (this.turn === "hand" ? !this.still : this.runs);
  }

  private move(): void {
    if (this.request !== 0 || !this.isMoving) return;
    this.request = requestAnimationFrame((now) => {
      this.request = 0;
      const passed = Math.min(LONGEST, Math.max(0, now - this.last));
      this.last = now;
      if (this.turn === "hand") this.writeOn(passed);
      else this.runOn(passed);
      this.show();
      this.move();
    });
  }

  /** The hand writes, waits for the wave, and takes the next digit. */
  private writeOn(passed: number): void {
    this.clock += passed;
    const { writing } = this;
    if (this.clock < writing) {
      this.strokes = partOf(this.written, this.clock / writing);
      this.wave = null;
      return;
    }
    if (this.wave === null) this.write(this.written);
    this.time = Math.min(END, (this.clock - writing - PAUSE) / STEP);
    if (this.clock < writing + PAUSE + END * STEP + HOLD) return;
    this.digit = (this.digit + 1) % handwriting.length;
    this.clock = 0;
  }

  private write({ strokes }: Written): void {
    this.strokes = strokes;
    this.wave = this.reader.read(strokes);
    this.time = END;
  }

  private runOn(passed: number): void {
    this.time = Math.min(END, this.time + passed / STEP);
    if (this.time < END) return;
    this.runs = false;
    this.tell();
  }

  private draw({ to, begins, erases, byKeys }: Movement): void {
    const at: Point = [to[0] / SIDE, to[1] / SIDE];
    const isNew = this.turn === "hand" || (begins && !byKeys && performance.now() - this.lifted > ANOTHER);
    if (isNew) this.strokes = [];
    this.turn = "reader";
    this.isDown = !byKeys;
    this.runs = false;
    const last = this.strokes.at(-1);
    const end = last?.at(-1);
    const near = end === undefined ? Infinity : distance(end, at);
    if (erases) this.strokes = this.strokes.filter((points) => !points.some((point) => distance(point, at) < ERASER));
    else if (last === undefined || (begins && !(byKeys && near < BESIDE))) this.strokes = [...this.strokes, [at]];
    else if (near >= NEAR) this.strokes = [...this.strokes.slice(0, -1), [...last, at]];
    if (byKeys) this.read();
    else {
      this.wave = this.reader.read(this.strokes);
      this.time = BEFORE;
    }
    this.show();
  }

  private lift(): void {
    if (!this.isDown) return;
    this.isDown = false;
    this.lifted = performance.now();
    this.read();
    this.show();
  }

  /** Reads the drawing, and starts its wave. */
  private read(): void {
    this.wave = this.strokes.length === 0 ? null : this.reader.read(this.strokes);
    this.time = this.still ? END : 0;
    this.runs = !this.still && this.wave !== null;
    this.last = performance.now();
    if (this.still) this.tell();
    this.move();
  }

  private tell(): void {
    this.status.textContent = this.wave === null ? "" : `${answerOf(this.wave)} ${costOf(this.wave, END)[0]}.`;
  }

  private clear(): void {
    this.turn = "reader";
    this.strokes = [];
    this.read();
    this.show();
  }

  /** Shows a step, and stays there. */
  private go(step: number): void {
    if (this.turn === "hand") this.write(this.written);
    this.turn = "reader";
    this.lifted = Number.NEGATIVE_INFINITY;
    this.runs = false;
    this.time = step === TIMESTEPS ? END : step;
    this.show();
  }

  private next(): void {
    this.go(this.time >= TIMESTEPS ? 0 : stepAt(this.time) + 1);
  }

  private show(): void {
    const { wave, time } = this;
    const isOver = time >= END;
    const isDecided = wave !== null && wave.answer >= 0 && time >= shownAt(wave.decided);
    this.answer.textContent = isDecided ? String(wave.answer) : "";
    const told = this.turn === "reader" && wave !== null && isOver;
    this.hint.textContent = told ? answerOf(wave) : this.turn === "hand" ? EXAMPLE : YOURS;
    this.cost.textContent = costOf(wave, time).join(" · ");
    const step = isOver ? TIMESTEPS : Math.max(0, Math.floor(time));
    this.slider.value = String(Math.min(TIMESTEPS, step));
    this.slider.setAttribute("aria-valuetext", `step ${this.slider.value} of ${TIMESTEPS}, ${costOf(wave, time)[0]}`);
    this.pad.update();
    this.view.update();
  }
}

const YOURS = "Your turn: draw a digit.";
const EXAMPLE = `An example. ${YOURS}`;
