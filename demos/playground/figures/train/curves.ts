/** Loss and accuracy over the steps of a run. */
import { count, percent, significant } from "../../draw/numbers.ts";
import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { tickDistance } from "../../draw/stack.ts";
import type { History } from "../../model/history.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { element } from "../../ui/dom.ts";

const HEIGHT = 148;
/** Room for the numbers at both sides, and for the steps below. */
const [LEFT, RIGHT, FOOT] = [40, 48, 22];
/** Steps that the axis has at least. */
const LEAST = 20;

export class Curves {
  readonly host = element("div", { class: "curves" });
  /** The values of the curves at the pointer, as text. */
  readonly values = element("p", { class: "values" });
  private readonly history: History;
  private readonly view: CanvasView;
  /** The point under the pointer, null for none. */
  private at: number | null = null;

  constructor(history: History, onStep: (step: number) => void) {
    this.history = history;
    this.view = new CanvasView(
      this.host,
      {
        heightFor: () => HEIGHT,
        paint: (pen, width, _, palette) => paintHistory(pen, history, this.at, width, palette),
      },
      "Loss and accuracy over the steps of the run",
    );
    this.host.addEventListener("pointermove", (event) => this.point(this.indexAt(event)));
    this.host.addEventListener("pointerleave", () => this.point(null));
    this.host.addEventListener("click", (event) => {
      const step = history.steps[this.indexAt(event)];
      if (step !== undefined) onStep(step);
    });
  }

  update(): void {
    this.view.update();
    this.describe();
  }

  private point(at: number | null): void {
    this.at = at;
    this.update();
  }

  private indexAt({ clientX }: MouseEvent): number {
    const { steps } = this.history;
    const { left, width } = this.host.getBoundingClientRect();
    const step = ((clientX - left - LEFT) / (width - LEFT - RIGHT)) * lastStep(this.history);
    const after = steps.findIndex((each) => each >= step);
    if (after <= 0) return after === 0 ? 0 : steps.length - 1;
    return step - (steps[after - 1] as number) < (steps[after] as number) - step ? after - 1 : after;
  }

  /** The values at the pointer, or the last ones. */
  private describe(): void {
    const { steps, loss, accuracy } = this.history;
    const i = Math.min(this.at ?? Number.POSITIVE_INFINITY, steps.length - 1);
    const known = (list: (number | null)[]): number | null => list.slice(0, i + 1).findLast((v) => v !== null) ?? null;
    const [l, a] = [known(loss), known(accuracy)];
    this.values.replaceChildren(
      `step ${count(steps[i] ?? 0)} · `,
      element("b", { class: "loss" }, `loss ${l === null ? "–" : significant(l)}`),
      " · ",
      element("b", { class: "accuracy" }, `accuracy ${a === null ? "–" : percent(a)}`),
    );
  }
}

const lastStep = ({ steps }: History): number => Math.max(LEAST, steps.at(-1) ?? 0);

/** Loss on the left axis, accuracy on the right one, and a line at a point. */
function paintHistory(pen: Pen, history: History, at: number | null, width: number, palette: Palette): void {
  const { steps, loss, accuracy } = history;
  const [right, floor] = [width - RIGHT, HEIGHT - FOOT];
  const last = lastStep(history);
  const x = (step: number): number => LEFT + (step / last) * (right - LEFT);
  const y = (share: number): number => floor - share * (floor - 8);
  const most = loss.reduce<number>((max, value) => Math.max(max, value ?? 0), 0) || 1;
  for (const share of [0, 0.5, 1]) {
    pen.boxes([LEFT, y(share), right - LEFT, 1], palette.line);
    pen.text(LEFT - 6, y(share) + 4, significant(share * most), { color: palette.muted, align: "right" });
    pen.text(right + 6, y(share) + 4, `${100 * share} %`, { color: palette.muted });
  }
  const every = tickDistance(last, (right - LEFT) / 64);
  for (let step = 0; step <= last; step += every)
    pen.text(x(step), HEIGHT - 6, count(step), { color: palette.muted, align: "center" });
  const curve = (values: (number | null)[], unit: number): number[] =>
    values.flatMap((value, i) => (value === null ? [] : [x(steps[i] as number), y(value / unit)]));
  pen.line(curve(loss, most), { color: palette.muted, width: 1.5 });
  pen.line(curve(accuracy, 1), { color: palette.ink, width: 2 });
  const step = at === null ? undefined : steps[at];
  if (step !== undefined) pen.boxes([x(step), 0, 1, floor], palette.accent);
}
