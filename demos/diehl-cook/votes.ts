/** The digits that spikes mean, of neurons that have learned without labels. */

const CLASSES = 10;

/** The responses of neurons to images of known classes, and what they say about other images. */
export class Votes {
  private readonly neurons: number;
  /** Spikes of each neuron for the images of each class, [K, N], and the images of each class. */
  private readonly spikes: Float64Array;
  private readonly images = new Float64Array(CLASSES);
  /** The shares of the classes in the response of each neuron so far, [K, N], and its class. */
  private known: { shares: Float64Array; classes: readonly number[]; sizes: readonly number[] } | null = null;

  constructor(neurons: number) {
    this.neurons = neurons;
    this.spikes = new Float64Array(CLASSES * neurons);
  }

  /** Notes the spikes that an image of a class has caused. */
  add(counts: Float32Array, label: number): void {
    for (let j = 0; j < this.neurons; j++) (this.spikes[label * this.neurons + j] as number) += counts[j] as number;
    (this.images[label] as number)++;
    this.known = null;
  }

  /** The class with the most votes: each spike of a neuron is divided among the classes as the mean responses to them are. */
  weighted(counts: Float32Array): number {
    const { shares } = this.read();
    return best((k) => this.voted(counts, (j) => shares[k * this.neurons + j] as number));
  }

  /** The class whose neurons spike most on average: a neuron belongs to the class of its largest mean response. */
  assigned(counts: Float32Array): number {
    const { classes, sizes } = this.read();
    return best((k) => this.voted(counts, (j) => Number(classes[j] === k)) / Math.max(1, sizes[k] as number));
  }

  private read() {
    if (this.known === null) {
      const classes = Array.from({ length: this.neurons }, (_, j) => best((k) => this.mean(k, j)));
      const sizes = Array.from({ length: CLASSES }, (_, k) => classes.filter((own) => own === k).length);
      this.known = { shares: this.sharesOf(), classes, sizes };
    }
    return this.known;
  }

  private voted(counts: Float32Array, weight: (j: number) => number): number {
    return counts.reduce((sum, count, j) => (count === 0 ? sum : sum + count * weight(j)), 0);
  }

  private mean(k: number, j: number): number {
    const images = this.images[k] as number;
    return images === 0 ? 0 : (this.spikes[k * this.neurons + j] as number) / images;
  }

  private sharesOf(): Float64Array {
    const shares = new Float64Array(CLASSES * this.neurons);
    for (let j = 0; j < this.neurons; j++) {
      let all = 0;
      for (let k = 0; k < CLASSES; k++) all += this.mean(k, j);
      for (let k = 0; k < CLASSES && all > 0; k++) shares[k * this.neurons + j] = this.mean(k, j) / all;
    }
    return shares;
  }
}

/** The class with the largest score, of equal ones the first. */
function best(score: (k: number) => number): number {
  const scores = Array.from({ length: CLASSES }, (_, k) => score(k));
  return scores.indexOf(Math.max(...scores));
}
