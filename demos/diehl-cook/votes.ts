/** The digits that spikes mean, of neurons that have learned without labels. */

const CLASSES = 10;

/** The responses of neurons to images of known classes, and what they say about other images. */
export class Votes {
  private readonly neurons: number;
  /** The factor by which responses to a class shrink when the next image of the class is noted. */
  private readonly fade: number;
  /** Spikes of each neuron for the images of each class, [K, N], and the images of each class. */
  private readonly spikes: Float64Array;
  private readonly images = new Float64Array(CLASSES);
  /** The shares of the classes in the response of each neuron so far, [K, N], and its class. */
  private known: { shares: Float64Array; classes: readonly number[]; sizes: readonly number[] } | null = null;

  constructor(neurons: number, fade = 1) {
    this.neurons = neurons;
    this.fade = fade;
    this.spikes = new Float64Array(CLASSES * neurons);
  }

  /** Notes the spikes that an image of a class has caused. */
  add(counts: Float32Array, label: number): void {
    const { neurons, fade, spikes, images } = this;
    for (let j = 0; j < neurons; j++) {
      const at = label * neurons + j;
      spikes[at] = (spikes[at] as number) * fade + (counts[j] as number);
    }
    images[label] = (images[label] as number) * fade + 1;
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

  /** The class that a neuron responds to most, and its share in the response; class −1 for a neuron without a spike. */
  nameOf(j: number): { readonly label: number; readonly share: number } {
    const { shares, classes } = this.read();
    const label = classes[j] as number;
    const share = shares[label * this.neurons + j] as number;
    return { label: share === 0 ? -1 : label, share };
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
