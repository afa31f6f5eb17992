/** Fields that grow from noise to digits in the worker of the page, while one sets how strongly they silence each other. */
import { count, percent } from "../../draw/numbers.ts";
import { parseDigits } from "../../model/digits.ts";
import { fieldOf, formatValues, number, parseValues, type Values } from "../../state/fields.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { Clock } from "../../ui/clock.ts";
import { button, element, reading } from "../../ui/dom.ts";
import { signal } from "../../ui/signal.ts";
import { loadDigits } from "../digits-file.ts";
import type { Living, Mount } from "../figure.ts";
import { slider } from "../slider.ts";
import { Task } from "../worker/client.ts";
import type { NeighboursMessage, NeighboursOrder, NeighboursParameters } from "../worker/rules/neighbours.ts";
import { neighboursHeight, paintNeighbours } from "./paint.ts";
import { DIGITS, Scene } from "./scene.ts";

const INHIBITION = { label: "How strongly they silence each other", min: 0, max: 60, step: 1, show: String };
/** A link has the seed, the inhibition at the first digit, and the digits seen. */
const fields = { seed: number(0, 0, 9999, 1), inhibition: fieldOf(INHIBITION, 30), digits: number(0, 0, DIGITS, 1) };
const LOST = "The link has the inhibition of the beginning. It does not have what the slider did since.";
/** Where motion is unwanted, pictures after so many digits stand one after the other. */
const STILLS = [10, 100, 1000, DIGITS];
/** How long the fields stay where they are before they fly to their names. */
const PAUSE_MS = 600;

const LABELS = { begin: "Show it digits", pause: "Pause", goOn: "Go on", again: "Again, from another seed" };

class NeighboursFigure implements Living {
  private readonly scene = new Scene();
  private readonly view: CanvasView;
  private readonly clock = new Clock((ms) => this.pass(ms));
  private readonly task: Task<NeighboursOrder>;
  private readonly digits: Uint8Array;
  private readonly still: boolean;
  private phase: "idle" | "learning" | "paused" | "done" = "idle";
  private seed: number;
  /** The inhibition of the moment, and that with which these fields began. */
  private inhibition: number;
  private began: number;
  private isBent = false;
  /** Digits at which the fields of a link stop; 0 without a link. */
  private until: number;
  private readonly computed = signal();
  private byName = false;
  private isSeen = false;
  private measured: { readonly accuracy: number; readonly hash: string } | null = null;

  private readonly toggle = button(LABELS.begin, () => this.press(), { class: "primary", "data-action": "play" });
  private readonly sorter = button("", () => this.sort(!this.byName), { "data-action": "sort", hidden: "" });
  private readonly readings = element("span", { class: "readings" });
  private readonly sentence = element("p", { class: "sentence", role: "status" });
  private readonly problem = element("p", { class: "problem", role: "alert", hidden: "" });

  constructor(host: HTMLElement, file: ArrayBuffer, still: boolean, linked: Values<typeof fields>) {
    this.still = still;
    this.seed = linked.seed;
    this.inhibition = linked.inhibition;
    this.began = linked.inhibition;
    this.until = linked.digits;
    this.digits = parseDigits(new Uint8Array(file)).train.x;
    const picture = element("div", { class: "host" });
    this.view = new CanvasView(
      picture,
      {
        heightFor: neighboursHeight,
        paint: (pen, width, _height, palette) => paintNeighbours(pen, this.scene, width, palette),
      },
      "A hundred receptive fields, the digit that they see, and the share of digits that they name right",
    );
    const inhibition = slider(INHIBITION, this.inhibition, (value) => {
      this.inhibition = value;
      if (this.phase === "idle") this.began = value;
      else this.isBent = true;
      this.task.tell({ kind: "inhibit", inhibition: value });
    });
    host.append(
      element("div", { class: "controls" }, this.toggle, this.sorter, this.readings),
      picture,
      element("div", { class: "sliders" }, inhibition.node),
      this.problem,
      this.sentence,
    );
    const stills = still ? [...STILLS, this.until] : null;
    const parameters: NeighboursParameters = { file, inhibition: this.inhibition, stills };
    this.task = new Task("neighbours", parameters, {
      onMessage: (message: NeighboursMessage) => this.hear(message),
      onProblem: (message) => {
        this.problem.textContent = message;
        this.problem.hidden = false;
      },
    });
    if (this.until > 0) {
      this.phase = "learning";
      this.task.tell({ kind: "begin", seed: this.seed, until: this.until });
    }
    this.show();
  }

  get settled(): Promise<void> {
    return this.computed.given;
  }

  state(): string {
    const { seed, began, phase, scene } = this;
    return formatValues(fields, { seed, inhibition: began, digits: phase === "idle" ? 0 : scene.seen });
  }

  lost(): string | null {
    return this.isBent ? LOST : null;
  }

  inNode(): string | null {
    const { measured, seed, began, isBent } = this;
    if (measured === null || isBent) return null;
    return `Hash ${measured.hash.slice(0, 16)}. The same in Node: npm run demo -- neighbours --seed=${seed} --inhibition=${began}`;
  }

  get film(): (() => number) | undefined {
    return this.phase === "learning" ? () => 8 : undefined;
  }

  play(): void {
    this.isSeen = true;
    this.task.play();
    this.follow(true);
  }

  rest(): void {
    this.isSeen = false;
    this.task.rest();
    this.follow(false);
  }

  private press(): void {
    const { phase } = this;
    if (phase === "learning") this.task.tell({ kind: "pause" });
    else if (phase === "paused") this.task.tell({ kind: "goOn" });
    else {
      if (phase === "done") this.seed++;
      this.began = this.inhibition;
      this.isBent = false;
      this.measured = null;
      this.sort(false);
      this.task.tell({ kind: "begin", seed: this.seed });
    }
    this.phase = phase === "learning" ? "paused" : "learning";
    this.show();
  }

  private hear(message: NeighboursMessage): void {
    const { scene } = this;
    if (message.kind === "measured") {
      this.measured = message;
      this.phase = "done";
      if (this.still) this.sort(true);
      else setTimeout(() => this.sort(true), PAUSE_MS);
    } else {
      // An idle digit that was on its way when the first press came.
      if (message.kind === "firing" && this.phase !== "idle") return;
      if (message.kind === "picture") scene.show(message);
      scene.setImage(this.digits, message.image);
      scene.fire(message);
      if (this.still) scene.arrive();
      if (message.kind === "picture" && this.phase === "learning" && this.until > 0 && message.seen === this.until) {
        // A link stops where its sender was; at the end the fields are measured.
        if (this.until < DIGITS) this.phase = "paused";
        this.until = 0;
      }
    }
    if (message.kind !== "firing" && this.phase !== "learning") this.computed.give();
    this.show();
    this.follow(this.isSeen);
  }

  private sort(byName: boolean): void {
    this.byName = byName;
    this.scene.sort(byName);
    if (this.still) this.scene.arrive();
    this.show();
    this.follow(this.isSeen);
  }

  /** Lets time pass while something moves. */
  private follow(may: boolean): void {
    this.clock.run(may && !this.still);
  }

  private pass(ms: number): void {
    const moves = this.scene.pass(ms);
    this.view.update();
    if (!moves) this.clock.run(false);
  }

  private show(): void {
    const { scene, phase, measured } = this;
    this.toggle.textContent =
      phase === "learning"
        ? LABELS.pause
        : phase === "paused"
          ? LABELS.goOn
          : phase === "done"
            ? LABELS.again
            : LABELS.begin;
    this.sorter.hidden = phase !== "done";
    this.sorter.textContent = this.byName ? "As they lay" : "Sort by name";
    const right = measured?.accuracy ?? scene.curve.at(-1)?.right;
    this.readings.replaceChildren(
      reading("digits seen", count(scene.seen), "seen"),
      reading(
        measured === null ? "named right as they come" : "of 500 it never saw",
        right === undefined ? "–" : percent(right),
        "right",
      ),
      reading("of computing", `${scene.seconds.toFixed(1)} s`, "seconds"),
    );
    this.sentence.textContent = this.words();
    this.view.update();
  }

  private words(): string {
    const { phase, measured } = this;
    if (phase === "idle")
      return "Each digit makes some fields fire. Nothing learns yet: press the button, or drag the slider.";
    if (measured === null) return "A field that fires moves towards the digit, and silences the others.";
    return "The fields have learned without labels. The number in a field is the digit for which it has fired most.";
  }
}

export const mount: Mount = async (host, { still, state }) =>
  new NeighboursFigure(host, await loadDigits("Reload the page."), still, parseValues(fields, state));
