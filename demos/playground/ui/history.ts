/** Loss and accuracy along a run; where there are too many points, neighbours become one. */
export class History {
  readonly steps: number[] = [];
  readonly loss: (number | null)[] = [];
  readonly accuracy: (number | null)[] = [];
  private readonly room: number;

  constructor(room = 600) {
    this.room = room;
  }

  push(steps: number, loss: number | null, accuracy: number | null): void {
    if (this.steps.at(-1) === steps) {
      // The same step once more: its details came later.
      this.accuracy[this.steps.length - 1] = accuracy ?? this.accuracy.at(-1) ?? null;
      return;
    }
    this.steps.push(steps);
    this.loss.push(loss);
    this.accuracy.push(accuracy);
    if (this.steps.length > this.room) this.halve();
  }

  clear(): void {
    for (const list of [this.steps, this.loss, this.accuracy]) list.length = 0;
  }

  /** Pairs become one point: the later step, the mean loss, the later accuracy. */
  private halve(): void {
    const pairs = Math.floor(this.steps.length / 2);
    for (let i = 0; i < pairs; i++) {
      const [a, b] = [2 * i, 2 * i + 1];
      const losses = [this.loss[a], this.loss[b]].filter((value) => typeof value === "number");
      this.steps[i] = this.steps[b] as number;
      this.loss[i] = losses.length === 0 ? null : losses.reduce((sum, value) => sum + value, 0) / losses.length;
      this.accuracy[i] = this.accuracy[b] ?? this.accuracy[a] ?? null;
    }
    const odd = this.steps.length % 2;
    for (const list of [this.steps, this.loss, this.accuracy] as (number | null)[][]) {
      if (odd === 1) list[pairs] = list.at(-1) as number | null;
      list.length = pairs + odd;
    }
  }
}
