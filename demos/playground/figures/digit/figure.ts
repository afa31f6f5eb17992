/** Draw a digit: a pad, and the wave of spikes that answers. Until the reader draws, a hand writes digits of its own. */
import type { Moving } from "../../draw/moving.ts";
import { currentPalette, type Palette } from "../../draw/palette.ts";
import type { Point, Strokes } from "../../model/image.ts";
import { SIDE } from "../../model/image.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { Clock } from "../../ui/clock.ts";
import { button, element } from "../../ui/dom.ts";
import { type Movement, Pad } from "../../ui/pad.ts";
import type { Living, Mount } from "../figure.ts";
import { slider } from "../slider.ts";
import { handwriting, partOf, type Written } from "./hand.ts";
import { distance } from "./ink.ts";
import { formatStrokes, nearest, parseStrokes } from "./link.ts";
import { Reader, TIMESTEPS, type Wave } from "./net.ts";
import { roundOf } from "./round.ts";
import { answeredAt, type Box, END, paintPad, WavePainter } from "./wave.ts";
import { decodeWeights } from "./weights.ts";
import { answerOf, costOf, stepAt } from "./words.ts";

export const mount: Mount = async (host, { still, state }) => {
  const address = new URL("./weights.bin", import.meta.url);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`weights: expected a file at ${address}, got status ${response.status}`);
  return new DigitFigure(host, new Reader(decodeWeights(new Uint8Array(await response.arrayBuffer()))), still, state);
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
  /** The hand writes until the reader draws; `elapsed` counts the milliseconds of its digit. */
  private turn: "hand" | "reader" = "hand";
  private digit = 0;
  private elapsed = 0;
  private strokes: Strokes = [];
  private wave: Wave | null = null;
  private time = BEFORE;
  /** Whether time passes in the wave of the reader. */
  private runs = false;
  private isDown = false;
  private lifted = 0;
  private plays = false;
  private painter: WavePainter | null = null;
  /** What is on the page. */
  private shown: { turn?: string; strokes?: Strokes; wave?: Wave | null; time?: number } = {};
  private readonly clock = new Clock((ms) => this.pass(Math.min(LONGEST, ms)));
  private readonly pad: Pad;
  private readonly view: CanvasView;
  private readonly answer = element("output", { class: "answer", "aria-hidden": "true" });
  private readonly hint = element("p", { class: "hint" });
  private readonly cost = element("p", { class: "cost" });
  private readonly status = element("p", { class: "unseen", role: "status" });
  private readonly slider = slider(
    { label: "Time step", min: 0, max: TIMESTEPS, step: 1, show: (step) => `${step} of ${TIMESTEPS}` },
    0,
    (step) => this.go(step),
  );

  constructor(host: HTMLElement, reader: Reader, still: boolean, state: string) {
    this.reader = reader;
    this.still = still;
    this.pad = new Pad(
      (movement) => this.draw(movement),
      (pen, width, palette) => {
        const box = { x: 0, y: 0, width, height: width };
        paintPad(pen, this.strokes, box, palette, this.turn === "hand" && this.wave === null);
      },
    );
    for (const end of ["pointerup", "pointercancel"]) this.pad.host.addEventListener(end, () => this.lift());
    const waveHost = element("div", { class: "host" });
    this.view = new CanvasView(
      waveHost,
      {
        heightFor: (width) => Math.max(LEAST, Math.round((width + GAP) * (SHARE / (1 - SHARE)))),
        paint: (pen, width, height, palette) => {
          this.painterOf({ x: 0, y: 0, width, height }, palette).paint(pen, this.time);
        },
      },
      "Spikes of pixels and of hidden neurons, and the membranes of ten digits",
    );
    const clear = button("Clear", () => this.clear());
    const steps = still ? [button("Next step", () => this.next())] : [];
    host.append(
      this.pad.host,
      element("div", { class: "turn" }, this.answer, this.hint, element("div", { class: "buttons" }, clear, ...steps)),
      waveHost,
      element(
        "div",
        { class: "under" },
        element("div", { class: "sliders" }, this.slider.node),
        this.cost,
        this.status,
      ),
    );
    // The first digit stands there already, and its wave begins at once.
    this.write(this.written);
    if (!still) {
      this.elapsed = this.writing + PAUSE;
      this.time = 0;
    }
    this.begin(new URLSearchParams(state));
    this.show();
  }

  state(): string {
    if (this.turn === "hand") return "";
    const drawn = `strokes=${formatStrokes(this.strokes)}`;
    return this.runs || this.time < 0 || this.time >= END ? drawn : `${drawn}&step=${stepAt(this.time)}`;
  }

  /** The drawing that is there, and its wave. */
  get film(): (() => Moving) | undefined {
    const { strokes, reader } = this;
    const wave = this.wave ?? (strokes.length > 0 ? reader.read(strokes) : null);
    if (wave === null) return undefined;
    return () => roundOf(strokes, wave, reader.places, currentPalette(), "computed in a page");
  }

  play(): void {
    this.plays = true;
    this.follow();
  }

  rest(): void {
    this.plays = false;
    this.follow();
  }

  /** Begins with the drawing of a link. */
  private begin(state: URLSearchParams): void {
    const strokes = parseStrokes(state.get("strokes") ?? "");
    if (strokes.length === 0) return;
    this.turn = "reader";
    this.strokes = strokes;
    this.read();
    const step = state.get("step");
    if (step !== null) this.go(Math.min(TIMESTEPS, Math.max(0, Math.round(Number(step)) || 0)));
  }

  private get written(): Written {
    return handwriting[this.digit] as Written;
  }

  /** Milliseconds in which the hand writes its digit. */
  private get writing(): number {
    return (1000 * this.written.length) / SPEED;
  }

  /** The painter of the wave, which serves until wave, place or colours change. */
  private painterOf(box: Box, palette: Palette): WavePainter {
    if (this.painter?.paints(this.wave, box, palette) !== true)
      this.painter = new WavePainter(this.wave, this.reader.places, box, palette);
    return this.painter;
  }

  /** Time passes while something changes by itself. */
  private follow(): void {
    this.clock.run(this.plays && (this.turn === "hand" ? !this.still : this.runs));
  }

  private pass(ms: number): void {
    if (this.turn === "hand") this.writeOn(ms);
    else if (this.runs) this.runOn(ms);
    this.show();
    this.follow();
  }

  /** The hand writes, waits for the wave, and takes the next digit. */
  private writeOn(passed: number): void {
    this.elapsed += passed;
    const { writing } = this;
    if (this.elapsed < writing) {
      this.strokes = partOf(this.written, this.elapsed / writing);
      this.wave = null;
      return;
    }
    if (this.wave === null) this.write(this.written);
    this.time = Math.min(END, (this.elapsed - writing - PAUSE) / STEP);
    if (this.elapsed < writing + PAUSE + END * STEP + HOLD) return;
    this.digit = (this.digit + 1) % handwriting.length;
    this.elapsed = 0;
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
    const at: Point = [nearest(to[0] / SIDE), nearest(to[1] / SIDE)];
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
    // An answer that comes again is read aloud again.
    this.status.textContent = "";
    if (this.still) this.tell();
    this.follow();
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

  /** Changes what is different on the page: the wave rests while the hand writes, and the pad while the wave runs. */
  private show(): void {
    const { turn, strokes, wave, time, shown } = this;
    this.shown = { turn, strokes, wave, time };
    const isOther = turn !== shown.turn || wave !== shown.wave;
    if (isOther || strokes !== shown.strokes) this.pad.update();
    if (!isOther && time === shown.time) return;
    const isOver = time >= END;
    const isAnswered = wave !== null && time >= answeredAt(wave);
    this.answer.textContent = isAnswered ? `${wave.digits[0] ?? ""}${wave.digits.length === 1 ? "" : "?"}` : "";
    const told = turn === "reader" && wave !== null && isOver;
    this.hint.textContent = told ? answerOf(wave) : turn === "hand" ? EXAMPLE : YOURS;
    this.cost.textContent = [...costOf(wave, time), "computed in this page"].join(" · ");
    const step = isOver ? TIMESTEPS : Math.max(0, Math.floor(time));
    this.slider.set(Math.min(TIMESTEPS, step));
    this.view.update();
  }
}

const YOURS = "Your turn: draw a digit.";
const EXAMPLE = `An example. ${YOURS}`;
