/** The neuron that one types: its equations, and between two keystrokes all that they do. */
import type { Adam } from "jarvis-snn";
import { surrogate } from "jarvis-snn/core";
import { currentPalette } from "../../draw/palette.ts";
import { StackLayout } from "../../draw/stack.ts";
import { CanvasView, type Drawing, onThemeChange } from "../../ui/canvas.ts";
import { Clicks } from "../../ui/clicks.ts";
import { cursor } from "../../ui/cursor.ts";
import { button, element } from "../../ui/dom.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Living, Mount, MountOptions } from "../figure.ts";
import { slider } from "../slider.ts";
import { rounded } from "../terms.ts";
import { addressOf, type Setting, settingOf } from "./address.ts";
import { colored, Editor } from "./editor.ts";
import { parse, rewritten, structureOf } from "./language.ts";
import { type Range, type Run, TypedNeuron } from "./model.ts";
import { axisOf, CURRENT_ROW, currentRange, paintCurve, paintPlane, rowsOf } from "./paint.ts";
import { BEGIN, CURSOR, PRESETS, SHAPES, settingOfPreset, shaped } from "./presets.ts";
import { LanguageError, type Problem } from "./reader.ts";
import { Roles } from "./roles.ts";
import { type Scene, sceneAt, sceneOf } from "./scene.ts";
import { Sliders } from "./sliders.ts";
import { Undo } from "./undo.ts";

/** Rows that are narrower have less height and short titles. */
const NARROW = 480;

/** Turns of learning after one press, and turns between two looks of a reader who wants no motion. */
const MOST_TURNS = 400;
const TURNS_AT_ONCE = 10;

/** Seconds of a run through all steps. */
const RUN = 6;

/** Milliseconds of rest after which the address follows. */
const PAUSE = 400;

/** A key lifts the current by this share of its range, over this share of the time. */
const LIFT = 0.05;
const BRUSH = 0.05;

/** The width of the triangle by the place of its slider, a power of ten. */
const widthOf = (power: number): number => Number((10 ** power).toPrecision(2));
const WIDTH = {
  label: "Width of the triangle from which a spike takes its slope",
  ...{ min: -1, max: 2, step: 0.05, show: (power: number) => String(widthOf(power)) },
};

/** A lesson that goes on: a number of spikes, and the optimizers of the parameters. */
interface Lesson {
  readonly wanted: number;
  readonly optimizers: ReadonlyMap<string, Adam>;
  turns: number;
}

class EquationFigure implements Living {
  private readonly host: HTMLElement;
  private readonly isStill: boolean;
  private setting: Setting = BEGIN;
  private readonly undo = new Undo<Setting>(BEGIN);
  private typed: TypedNeuron;
  /** The key of the compiled neuron: settings with the same key share it. */
  private structure: string;
  private scene: Scene;
  private problem: Problem | null = null;
  private readonly roles = new Roles();
  /** The range of the row of the current. */
  private range: Range;
  /** Whose equations are printed. */
  private printedOf: TypedNeuron | null = null;
  /** Width of the rows, kept so that no event asks for the layout of the page. Before the first layout it is the width of the window. */
  private rowsWidth = innerWidth;
  private isSeen = false;
  private lesson: Lesson | null = null;
  /** Strokes of drawing so far, and the last place of the one that goes on. */
  private strokes = 0;
  private drawn: readonly [t: number, value: number] | null = null;
  /** The timer of the address. */
  private address = 0;
  /** The last result of learning, until something else changes. */
  private told = "";

  private readonly editor = new Editor((text) => {
    // A new line begins a new step of undo.
    this.change({ text }, `lines ${text.split("\n").length}`);
  });
  private readonly sliders = new Sliders((name, value) => {
    const { equations } = this.typed;
    if (this.problem === null) this.change({ text: rewritten(equations, new Map([[name, value]])) }, `slider ${name}`);
  });
  private readonly stack = new StackView(
    "Current, credit, spikes and states; up and down change the current at the cursor",
  );
  private readonly canvas = element("div", { class: "draw", "aria-hidden": "true" });
  private readonly planeTitle = element("figcaption");
  private readonly plane: CanvasView;
  private readonly curveFigure = element("figure", { class: "curve" });
  private readonly curve: CanvasView;
  private readonly status = element("output", { class: "count" });
  private readonly printed = element("div", {
    ...{ class: "printed", tabindex: "0", role: "region" },
    "aria-label": "The step and its gradient",
  });
  private readonly wanted = element("input", {
    type: "number",
    min: "0",
    max: "100",
    value: "12",
    "aria-label": "spikes wanted",
  });
  private readonly learn = button("Make it fire", () => this.pressLearn(), {
    class: "primary",
    "data-action": "learn",
  });
  private readonly learning = element("span", { class: "learning" }, this.learn, this.wanted, "times");
  /** Switching sound on starts the run again at the first step. */
  private readonly clicks = new Clicks((isOn) => {
    if (isOn) this.film();
    else cursor.set(cursor.share);
  });
  private readonly back = button("↶", () => this.restore("undo"), { "aria-label": "Undo", title: "Undo" });
  private readonly forth = button("↷", () => this.restore("redo"), { "aria-label": "Redo", title: "Redo" });
  private readonly width = slider(WIDTH, 0, (power) => this.change({ width: widthOf(power) }, "width"));
  private readonly presets = PRESETS.map((preset) =>
    button(preset.name, () => {
      this.sliders.forget();
      this.change(settingOfPreset(preset));
    }),
  );

  constructor(host: HTMLElement, { still, state }: MountOptions) {
    this.host = host;
    this.isStill = still;
    const equations = parse(BEGIN.text);
    this.typed = new TypedNeuron(equations, surrogate.triangular({ width: BEGIN.width }));
    this.structure = keyOf(BEGIN, structureOf(equations));
    this.scene = sceneOf(this.typed, BEGIN.current, CURSOR);
    this.range = currentRange(BEGIN.current);
    const planeHost = element("div", { class: "host" });
    const curveHost = element("div", { class: "host" });
    const picture = (paint: Drawing["paint"]): Drawing => ({ heightFor: () => 240, paint });
    this.plane = new CanvasView(
      planeHost,
      picture((pen, width, height, palette) => paintPlane(pen, this.scene, this.roles, palette, width, height)),
      "The plane of the states",
    );
    this.curve = new CanvasView(
      curveHost,
      picture((pen, width, height, palette) => paintCurve(pen, this.scene, palette, width, height)),
      "Spikes in 100 steps over the current",
    );
    const planeFigure = element("figure", {}, this.planeTitle, planeHost);
    this.curveFigure.append(
      element(
        "figcaption",
        {},
        element("strong", {}, "Spikes in 100 steps"),
        " over a constant current. 64 copies of the neuron run at once.",
      ),
      curveHost,
    );
    this.stack.host.append(this.canvas);
    host.append(
      element("div", { class: "presets", role: "group", "aria-label": "Neurons to begin with" }, ...this.presets),
      this.stage(),
      element("div", { class: "write" }, this.editor.node, this.sliders.node, this.gradient()),
      element("div", { class: "pair" }, planeFigure, this.curveFigure),
    );
    this.listen();
    const linked = settingOf(state);
    if (linked === null) {
      this.showScene();
      this.showSetting();
    } else {
      this.undo.note(linked);
      this.apply(linked);
    }
  }

  play(): void {
    this.isSeen = true;
  }

  rest(): void {
    this.isSeen = false;
    this.stop();
    if (cursor.playing) cursor.set(cursor.share);
  }

  /** Runs through the steps. */
  film(): number {
    cursor.set(0);
    cursor.play(RUN);
    return RUN;
  }

  state(): string {
    const { text, current, width } = this.setting;
    return this.setting === BEGIN ? "" : addressOf(text, current, width).slice(1);
  }

  private stage(): HTMLElement {
    const shapes = [...SHAPES.keys()].map((name) =>
      button(name, () => this.change({ current: shaped(name, this.height(), this.setting.current.length) })),
    );
    return element(
      "div",
      { class: "stage" },
      element(
        "div",
        { class: "tools" },
        element("span", { class: "shapes", role: "group", "aria-label": "Shapes of the current" }, ...shapes),
        this.learning,
        element("span", { class: "history" }, this.back, this.forth, this.clicks.button),
        this.status,
      ),
      this.stack.host,
    );
  }

  /** The height of a current: of the preset that the text is, or of the current that flows. */
  private height(): number {
    const preset = PRESETS.find(({ text }) => text === this.setting.text);
    return preset?.height ?? Math.max(...this.setting.current.map(Math.abs), 1e-3);
  }

  private gradient(): HTMLElement {
    return element(
      "details",
      { class: "gradient", open: "" },
      element("summary", {}, "The gradient that follows from them"),
      element("div", { class: "sliders" }, this.width.node),
      this.printed,
    );
  }

  // Changes of the setting

  /** A change of a reader; those of one kind that follow each other are undone as one. */
  private change(patch: Partial<Setting>, kind = ""): void {
    this.stop();
    const setting = { ...this.setting, ...patch };
    this.undo.note(setting, kind);
    this.apply(setting);
    this.keepAddress();
  }

  private restore(way: "undo" | "redo"): void {
    this.stop();
    this.apply(this.undo[way]());
    this.keepAddress();
  }

  /** Shows a setting. A text that is no neuron leaves the pictures as they are. */
  private apply(setting: Setting): void {
    const isOther = setting.current !== this.setting.current;
    this.setting = setting;
    this.told = "";
    if (isOther && this.drawn === null) this.range = currentRange(setting.current);
    try {
      this.compute(setting);
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.problem =
        error instanceof LanguageError ? error.problem : { message: error.message, from: 0, to: setting.text.length };
      // The neuron that could be read goes on under another current.
      if (isOther) this.scene = sceneOf(this.typed, setting.current, this.scene.at);
    }
    if (this.problem === null || isOther) this.showScene();
    this.showSetting();
  }

  private compute(setting: Setting): void {
    const { text, current, width } = setting;
    const equations = parse(text);
    const structure = keyOf(setting, structureOf(equations));
    const isSame = structure === this.structure;
    const typed = isSame ? this.typed : new TypedNeuron(equations, surrogate.triangular({ width }));
    if (isSame) typed.take(equations);
    try {
      this.scene = sceneOf(typed, current, this.scene.at);
    } catch (error) {
      if (!isSame) typed.dispose();
      throw error;
    }
    if (isSame) return;
    this.typed.dispose();
    this.typed = typed;
    this.structure = structure;
  }

  // Pictures and text

  private showScene(): void {
    const { equations, credit, run, curve } = this.scene;
    this.roles.assign(equations);
    this.sliders.show(equations, credit.parameters);
    this.showRows();
    this.showPlaneTitle();
    this.plane.update();
    this.curveFigure.hidden = curve === null;
    this.curve.update();
    this.learning.hidden = run.spikes === null;
    this.showPrinted();
  }

  private showSetting(): void {
    const { text, width } = this.setting;
    this.editor.show(text, this.roles, this.problem === null ? this.scene.run.cause : left(this.problem));
    this.width.set(Math.log10(width));
    this.status.textContent = this.told || this.count();
    this.back.disabled = !this.undo.canUndo;
    this.forth.disabled = !this.undo.canRedo;
    for (const [i, pressed] of this.presets.entries())
      pressed.setAttribute("aria-pressed", String(PRESETS[i]?.text === text));
  }

  private count(): string {
    const { run, current } = this.scene;
    const all = this.setting.current.length;
    const told = firingOf(run);
    return current.length === all ? told : `${told}; of ${all} steps these operations allow ${current.length}`;
  }

  private showRows(): void {
    const { current } = this.scene;
    const isNarrow = this.rowsWidth < NARROW;
    const rows = rowsOf(this.scene, this.range, this.roles, currentPalette(), isNarrow);
    const axis = axisOf(current.length);
    this.stack.show(rows, axis);
    const layout = new StackLayout(rows, axis, this.rowsWidth);
    this.canvas.style.left = `${layout.left}px`;
    this.canvas.style.width = `${layout.plotWidth}px`;
    this.canvas.style.top = `${layout.tops[CURRENT_ROW]}px`;
    this.canvas.style.height = `${rows[CURRENT_ROW]?.height}px`;
  }

  private showPlaneTitle(): void {
    const { plane, current, at } = this.scene;
    const input = String(Number((current[at] as number).toPrecision(3))).replace("-", "−");
    const [title, reading] =
      plane.kind === "field"
        ? [
            `${plane.names.join(" and ")} under I = ${input}`,
            ". Arrows: one step of 1 600 copies, without spikes. Lines in colour: a state stands still there; grey: the threshold.",
          ]
        : [
            `${plane.name} a step later under I = ${input}`,
            ". Where the curve meets the diagonal, the state stands still; the web is its path up to the cursor.",
          ];
    if (this.planeTitle.textContent === `${title}${reading}`) return;
    this.planeTitle.replaceChildren(element("strong", {}, title as string), reading as string);
    this.plane.canvas.setAttribute("aria-label", `Plane: ${title}`);
  }

  /** The step and its gradient as the package prints them, a line each, so that a long one can be broken. */
  private showPrinted(): void {
    if (this.printedOf === this.typed) return;
    this.printedOf = this.typed;
    const lines = this.typed.printed.split("\n").slice(1);
    this.printed.replaceChildren(
      ...lines.map((line) =>
        line === "backward"
          ? element("div", { class: "part" }, line)
          : element("div", {}, ...colored(line.trim(), this.roles)),
      ),
    );
  }

  // Events of the reader

  private listen(): void {
    cursor.subscribe((share) => {
      if (share !== null && this.isSeen) this.follow();
    });
    onThemeChange(() => this.showRows());
    new ResizeObserver(([entry]) => {
      this.rowsWidth = (entry as ResizeObserverEntry).contentRect.width;
      this.showRows();
    }).observe(this.stack.host);
    this.stack.host.addEventListener("click", (event) => {
      const box = this.stack.host.getBoundingClientRect();
      const { length } = this.scene.current;
      const layout = new StackLayout([], axisOf(length), box.width);
      cursor.set((layout.stepAt(event.clientX - box.left) + 0.5) / length);
    });
    this.stack.host.addEventListener("keydown", (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (way === undefined) return;
      event.preventDefault();
      this.lift(way * LIFT * (this.range[1] - this.range[0]));
    });
    this.host.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      this.restore(key === "y" || event.shiftKey ? "redo" : "undo");
    });
    this.listenToDrawing();
    window.addEventListener("hashchange", () => {
      const linked = settingOf(location.hash);
      if (linked !== null) this.change(linked);
    });
  }

  /** The cursor has moved. */
  private follow(): void {
    const at = cursor.stepOf(this.scene.current.length);
    if (at === this.scene.at) return;
    if (this.scene.run.spikes?.subarray(this.scene.at, at).includes(1)) this.clicks.click();
    this.scene = sceneAt(this.typed, this.scene, at);
    this.sliders.show(this.scene.equations, this.scene.credit.parameters);
    this.showRows();
    this.showPlaneTitle();
    this.plane.update();
    this.curve.update();
  }

  /** Lifts the current around the cursor. */
  private lift(by: number): void {
    const { at, current } = this.scene;
    const reach = Math.max(1, Math.round((BRUSH * current.length) / 2));
    const next = this.setting.current.map((value, t) => (Math.abs(t - at) < reach ? value + by : value));
    this.change({ current: rounded(next) }, `keys ${at}`);
  }

  private listenToDrawing(): void {
    const { canvas } = this;
    const locate = (event: PointerEvent): readonly [t: number, value: number] => {
      const box = canvas.getBoundingClientRect();
      const { length } = this.scene.current;
      const [low, high] = this.range;
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      const value = high - ((event.clientY - box.top) / box.height) * (high - low);
      // Near 0 it is 0, and a pointer beyond the row draws at most as far again.
      const bounded = Math.min(2 * high, Math.max(low - high, value));
      return [Math.min(length - 1, Math.floor(share * length)), Math.abs(value) < 0.04 * high ? 0 : bounded];
    };
    const draw = (event: PointerEvent): void => {
      const [t, value] = locate(event);
      const [from, start] = this.drawn ?? [t, value];
      const next = this.setting.current.slice();
      const steps = Math.abs(t - from);
      for (let i = 0; i <= steps; i++) {
        const share = steps === 0 ? 1 : i / steps;
        next[from + Math.sign(t - from) * i] = start + share * (value - start);
      }
      this.drawn = [t, value];
      this.change({ current: rounded(next) }, `stroke ${this.strokes}`);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.strokes++;
      draw(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.drawn !== null) draw(event);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        this.drawn = null;
        this.range = currentRange(this.setting.current);
        this.showRows();
      });
    }
  }

  // Learning

  private pressLearn(): void {
    if (this.lesson !== null) return this.stop();
    if (this.problem !== null || this.scene.run.spikes === null) return;
    this.told = "";
    this.lesson = { wanted: Math.round(Number(this.wanted.value)), optimizers: this.typed.optimizers(), turns: 0 };
    this.learn.textContent = "Stop";
    void this.teach(this.lesson);
  }

  /** Turn after turn, a picture each; a reader who wants no motion sees the last one alone. */
  private async teach(lesson: Lesson): Promise<void> {
    const next = () => new Promise<unknown>((tell) => (this.isStill ? setTimeout(tell) : requestAnimationFrame(tell)));
    while (this.lesson === lesson) {
      const end = this.isStill ? this.turns(lesson, TURNS_AT_ONCE) : this.turns(lesson, 1);
      if (end !== null) return this.stop(end);
      await next();
    }
  }

  /** Some turns; what is to be told where they are the last ones. */
  private turns(lesson: Lesson, count: number): string | null {
    const { wanted, optimizers } = lesson;
    for (let i = 0; i < count; i++) {
      const { made, moved } = this.typed.turn(this.scene.current, wanted, optimizers);
      if (made === wanted) return `${made} spikes after ${lesson.turns} turns of learning`;
      if (moved.size === 0) return "no gradient reaches a number: widen the triangle, or raise the current";
      if (lesson.turns++ === MOST_TURNS) return `${made} spikes after ${MOST_TURNS} turns: press again to go on`;
      this.setting = { ...this.setting, text: rewritten(this.typed.equations, moved) };
      this.typed.take(parse(this.setting.text));
    }
    if (!this.isStill) this.apply(this.setting);
    return null;
  }

  /** Ends a lesson; the numbers that it has found are one step of undo. */
  private stop(told = ""): void {
    const { lesson } = this;
    if (lesson === null) return;
    this.lesson = null;
    for (const optimizer of lesson.optimizers.values()) optimizer.dispose();
    this.learn.textContent = "Make it fire";
    this.undo.note(this.setting);
    this.apply(this.setting);
    this.told = told;
    this.status.textContent = told || this.count();
    this.keepAddress();
  }

  // The address

  private keepAddress(): void {
    clearTimeout(this.address);
    this.address = window.setTimeout(() => this.writeAddress(), PAUSE);
  }

  private writeAddress(): void {
    const { text, current, width } = this.setting;
    history.replaceState(null, "", addressOf(text, current, width));
  }
}

/** A problem of a text that the pictures do not show. */
const left = (problem: Problem): Problem => ({
  ...problem,
  message: `${problem.message}. The pictures show the last neuron that could be read`,
});

/** The operations of a run. */
function firingOf({ spikes, membrane, lost, cause }: Run): string {
  if (lost >= 0) return cause?.grows === false ? `no number from step ${lost} on` : `runs away at step ${lost}`;
  if (spikes === null) return "a neuron without spikes";
  const count = spikes.reduce((sum, s) => sum + s, 0);
  return `${count} ${count === 1 ? "spike" : "spikes"} in ${membrane.length} steps`;
}

/** The key of a setting: its text without the numbers of parameters, and the width of the triangle, both of which the code depends on. */
const keyOf = ({ width }: Setting, structure: string): string => `${width}\n${structure}`;

export const mount: Mount = (host, options) => new EquationFigure(host, options);
