/** Reproducible choices. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed, 0x9e3779b1) >>> 0;
    this.next();
  }

  /** Uniform in [0, 1): a Weyl sequence, mixed. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from low to high, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** A float32 from low to high, the same number for float32 and float64; often a round one, so that values meet. */
  number(low: number, high: number): number {
    const x = low + this.next() * (high - low);
    const round = Math.round(x * 4) / 4;
    return this.chance(0.3) && round >= low && round <= high ? round : Math.fround(x);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const order = [...list];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      const moved = order[i] as T;
      order[i] = order[j] as T;
      order[j] = moved;
    }
    return order;
  }

  /** Each entry with the given probability. */
  some<T>(list: readonly T[], probability = 0.5): T[] {
    return list.filter(() => this.chance(probability));
  }
}
