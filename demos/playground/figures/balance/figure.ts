/** A pole that learns to stand, and that one kicks. */
import { count } from "../../draw/numbers.ts";
import { formatValues, number, parseValues, type Values } from "../../state/fields.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { button, element, reading } from "../../ui/dom.ts";
import { signal } from "../../ui/signal.ts";
import type { Living, Mount } from "../figure.ts";
import { Task } from "../worker/client.ts";
import type { BalanceMessage, BalanceOrder, BalanceParameters } from "../worker/tasks/balance.ts";
import { balanceHeight, besideCart, paintBalance, stageHeight } from "./paint.ts";
import { Scene, UPDATES } from "./scene.ts";

/** A link has the policy: its seed, and how often it was updated. */
const fields = { seed: number(0, 0, 9999, 1), updates: number(0, 0, UPDATES, 1) };
const LOST = "The link has the policy. It does not have where the large pole is, or your kicks.";
/** A kick of a key, a button or a tap, and the hardest of a swipe, in rad/s. */
const KICK = 0.7;
const HARDEST = 1;
const KEYS: Record<string, number> = { ArrowLeft: -KICK, ArrowRight: KICK };
/** Pixels from which on a tap is a swipe. */
const SWIPE = 12;

class BalanceFigure implements Living {
  private readonly scene = new Scene();
  private readonly view: CanvasView;
  private readonly task: Task<BalanceOrder>;
  private readonly still: boolean;
  private readonly shown = signal();
  private isSeen = false;
  private isPaused = false;
  /** Where and when a finger has come down on the large pole. */
  private down: { readonly x: number; readonly at: number } | null = null;

  private readonly stage = element("div", {
    class: "host",
    tabindex: "0",
    role: "group",
    "aria-label": "The large pole: arrow keys kick it",
  });
  private readonly learner = button("", () => this.press(), { class: "primary", "data-action": "learn" });
  private readonly toggle = button("Pause", () => this.pause(), { "data-action": "pause" });
  private readonly readings = element("div", { class: "readings" });
  private readonly sentence = element("p", { class: "sentence", role: "status" });
  private readonly problem = element("p", { class: "problem", role: "alert", hidden: "" });

  constructor(host: HTMLElement, still: boolean, { seed, updates }: Values<typeof fields>) {
    this.still = still;
    this.view = new CanvasView(
      this.stage,
      {
        heightFor: balanceHeight,
        paint: (pen, width, _height, palette) => paintBalance(pen, this.scene, width, palette),
      },
      "A pole on a cart, its angle, the spikes of the neurons that push the cart, and sixteen small carts that learn",
    );
    host.append(
      element(
        "div",
        { class: "controls" },
        this.learner,
        button("Kick left", () => this.kick(-KICK)),
        button("Kick right", () => this.kick(KICK)),
        ...(still ? [] : [this.toggle]),
      ),
      this.stage,
      this.readings,
      this.problem,
      this.sentence,
    );
    this.listen();
    const parameters: BalanceParameters = { seed, updates, still };
    this.task = new Task("balance", parameters, {
      onMessage: (message: BalanceMessage) => {
        this.scene.show(message);
        this.shown.give();
        this.show();
      },
      onProblem: (message) => {
        this.problem.textContent = message;
        this.problem.hidden = false;
      },
    });
    this.show();
  }

  get settled(): Promise<void> {
    return this.shown.given;
  }

  state(): string {
    const { seed, updates } = this.scene;
    return formatValues(fields, { seed, updates });
  }

  lost(): string | null {
    return this.still && this.scene.kicks === 0 ? null : LOST;
  }

  inNode(): string | null {
    const { phase, updates, seed, hash } = this.scene;
    if (phase === "learning" || updates === 0) return null;
    return `Hash ${hash.slice(0, 16)}. The same in Node: npm run demo -- balance --seed=${seed} --updates=${updates}`;
  }

  get film(): (() => number) | undefined {
    return this.still || this.isPaused ? undefined : () => 8;
  }

  play(): void {
    this.isSeen = true;
    this.follow();
  }

  rest(): void {
    this.isSeen = false;
    this.follow();
  }

  private follow(): void {
    this.toggle.textContent = this.isPaused ? "Go on" : "Pause";
    if (this.isSeen && !this.isPaused) this.task.play();
    else this.task.rest();
  }

  private pause(): void {
    this.isPaused = !this.isPaused;
    this.follow();
  }

  private press(): void {
    const { phase, seed } = this.scene;
    if (phase === "learned") this.task.tell({ kind: "begin", seed: seed + 1 });
    else this.task.tell({ kind: phase === "learning" ? "stop" : "learn" });
    this.isPaused = false;
    this.follow();
  }

  private kick(turn: number): void {
    this.task.tell({ kind: "kick", turn });
  }

  private listen(): void {
    const { stage } = this;
    stage.addEventListener("keydown", (event) => {
      const turn = KEYS[event.key];
      if (turn === undefined) return;
      this.kick(turn);
      event.preventDefault();
    });
    stage.addEventListener("pointerdown", ({ clientX, clientY, timeStamp, pointerId }) => {
      const { top } = stage.getBoundingClientRect();
      if (clientY - top > stageHeight(stage.clientWidth)) return;
      stage.setPointerCapture(pointerId);
      this.down = { x: clientX, at: timeStamp };
    });
    stage.addEventListener("pointercancel", () => {
      this.down = null;
    });
    stage.addEventListener("pointerup", ({ clientX, timeStamp }) => {
      const { down } = this;
      this.down = null;
      if (down !== null) this.kick(this.turnOf(clientX, clientX - down.x, (timeStamp - down.at) / 1000));
    });
  }

  /** The kick of a finger that has moved by so many pixels in so many seconds: a tap pushes the pole away from its side. */
  private turnOf(clientX: number, moved: number, seconds: number): number {
    const { stage, scene } = this;
    const { left, width } = stage.getBoundingClientRect();
    const side = besideCart(clientX - left, width, scene);
    if (Math.abs(moved) < SWIPE) return side < 0 ? KICK : -KICK;
    // The pole is one metre long, so metres per second at its tip are radians per second.
    const speed = (side - besideCart(clientX - left - moved, width, scene)) / Math.max(seconds, 0.01);
    return Math.max(-HARDEST, Math.min(HARDEST, speed));
  }

  private show(): void {
    const { scene } = this;
    const { phase, updates, curve } = scene;
    this.learner.textContent = {
      learning: "Stop learning",
      stopped: updates === 0 ? "Let it learn" : "Go on learning",
      learned: "Another seed",
    }[phase];
    const lasted = curve.at(-1)?.lasted;
    this.readings.replaceChildren(
      reading("this try of the large pole", `${scene.stood.toFixed(1)} s`, "stood"),
      reading("your kicks", count(scene.kicks), "kicks"),
      reading("falls so far", count(scene.falls), "falls"),
      reading("updates", count(updates), "updates"),
      reading("mean of 20 small tries", lasted === undefined ? "–" : `${lasted.toFixed(1)} s`, "lasted"),
    );
    const words = this.words();
    // Readers of a screen hear a sentence when it changes.
    if (this.sentence.textContent !== words) this.sentence.textContent = words;
    this.view.update();
  }

  private words(): string {
    const { phase, updates, seconds } = this.scene;
    if (phase === "learning")
      return "Nobody shows it a right push. A try ends when the pole leans by 12° or the cart reaches a dotted post, and what led to longer tries than expected becomes more likely. The large pole has the newest policy.";
    if (updates === 0)
      return "The network has learned nothing yet, so the pole falls within a second or two. Press the button.";
    if (phase === "stopped") return "Learning has stopped: kick the pole, or let it go on learning.";
    const end =
      updates === UPDATES
        ? "The schedule is over"
        : "At least 15 of the last 20 tries lasted ten seconds, so learning has ended";
    return `${end} after ${seconds.toFixed(1)} s of computing: kick the pole.`;
  }
}

export const mount: Mount = (host, { still, state }) => new BalanceFigure(host, still, parseValues(fields, state));
