/** Loss and accuracy over the steps of a run (uPlot). */
import uPlot from "uplot";
import { count, percent, significant } from "../draw/numbers.ts";
import { readTheme } from "../draw/theme.ts";
import type { History } from "../model/history.ts";
import { onThemeChange } from "./canvas.ts";
import { element } from "./dom.ts";

const HEIGHT = 148;

export class Curves {
  readonly host = element("div", { class: "curves" });
  /** What the curves say where the cursor is. */
  readonly values = element("p", { class: "values" });
  private plot: uPlot | null = null;
  private readonly history: History;
  private readonly onStep: (step: number) => void;

  constructor(history: History, onStep: (step: number) => void) {
    this.history = history;
    this.onStep = onStep;
    new ResizeObserver(() => {
      if (this.plot === null) this.make();
      else this.plot.setSize({ width: this.host.clientWidth, height: HEIGHT });
    }).observe(this.host);
    onThemeChange(() => this.make());
  }

  update(): void {
    this.plot?.setData(this.data());
    this.describe(this.plot?.cursor.idx ?? null);
  }

  /** The values at a point of the curves, or the last ones. */
  private describe(index: number | null): void {
    const { steps, loss, accuracy } = this.history;
    const i = index ?? steps.length - 1;
    const known = (list: (number | null)[]): number | null => list.slice(0, i + 1).findLast((v) => v !== null) ?? null;
    const [l, a] = [known(loss), known(accuracy)];
    this.values.replaceChildren(
      `step ${count(steps[i] ?? 0)} · `,
      element("b", { class: "loss" }, `loss ${l === null ? "–" : significant(l)}`),
      " · ",
      element("b", { class: "accuracy" }, `accuracy ${a === null ? "–" : percent(a)}`),
    );
  }

  private data(): uPlot.AlignedData {
    return [this.history.steps, this.history.loss, this.history.accuracy];
  }

  /** Anew where the colours have changed. */
  private make(): void {
    this.plot?.destroy();
    this.plot = null;
    const width = this.host.clientWidth;
    if (width === 0) return;
    const theme = readTheme();
    const font = "12px system-ui, sans-serif";
    const axis = { stroke: theme.muted, font, grid: { show: false }, ticks: { stroke: theme.line, width: 1, size: 4 } };
    const line = { points: { show: false }, spanGaps: true };
    this.plot = new uPlot(
      {
        width,
        height: HEIGHT,
        legend: { show: false },
        scales: {
          x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(20, high ?? 0)] },
          loss: { range: (_, __, high) => [0, high || 1] },
          share: { range: [0, 1] },
        },
        axes: [
          { ...axis, size: 28, values: (_, splits) => splits.map(count) },
          { ...axis, scale: "loss", size: 40, values: (_, splits) => splits.map(String) },
          {
            ...axis,
            scale: "share",
            side: 1,
            size: 48,
            values: (_, splits) => splits.map((share) => `${Math.round(100 * share)} %`),
          },
        ],
        series: [
          {},
          { ...line, scale: "loss", stroke: theme.ink, width: 1.5 },
          { ...line, scale: "share", stroke: theme.accent, width: 2 },
        ],
        cursor: { y: false, points: { size: 6 } },
        hooks: { setCursor: [({ cursor }) => this.describe(cursor.idx ?? null)] },
      },
      this.data(),
      this.host,
    );
    const { plot } = this;
    plot.over.addEventListener("click", () => {
      const index = plot.cursor.idx;
      const step = index === null || index === undefined ? undefined : this.history.steps[index];
      if (step !== undefined) this.onStep(step);
    });
  }
}
