/** The demos in groups, each with the words that it says on a terminal. `npm run demo -- NAME` runs one. */

/** The words of a demo. */
export interface Words {
  /** The task of the demo in a sentence, for lists, --help and the first line. */
  readonly title: string;
  /** The paper, or the program, whose experiment the demo repeats. */
  readonly source: string;
  /** CPU seconds of a run with the flags of the docs. */
  readonly seconds: number;
  /** The name of the figure that ends a run, and the value that a run with the default flags reaches: at least, or at most. */
  readonly figure: { readonly name: string } & ({ readonly atLeast: number } | { readonly atMost: number });
  /** Figures to read the figure of a run beside. */
  readonly beside: readonly (readonly [value: number, of: string])[];
  /** Flags of runs that come next, with the reason. */
  readonly next: readonly (readonly [flags: string, why: string])[];
}

const mean = "mean of the seeds 0, 1 and 2";

/** Groups of demos, in the order of lists. */
export const GROUPS = {
  "An engine on one page, and a ladder above it": {
    nano: {
      title: "Trains the toy on an engine of one page, and beside it on the package: the weights have the same bits.",
      source: "demos/nano/nano.ts, 170 lines over the kernels of this package.",
      seconds: 2,
      figure: { name: "share of weights with the bits of the package", atLeast: 1 },
      beside: [[0, "demos/nano/nano-js.ts, whose sums are in float64"]],
      next: [
        ["nano --steps=1000", "until it has learned"],
        ["toy", "the same task with all that the package adds"],
      ],
    },
    ladder: {
      title: "Times a training step on eight rungs, from scalars with closures to the package with threads.",
      source: "The toy of this package and snnTorch's tutorial 5; the first rung is that of micrograd.",
      seconds: 20,
      figure: { name: "rungs whose weights have the bits of the package", atLeast: 5 },
      beside: [[5, "rungs from SIMD on"]],
      next: [["ladder --steps=100", "steadier medians"]],
    },
  },
  "Classifiers, by backpropagation through time": {
    toy: {
      title: "Trains a spiking network on a linear toy task.",
      source: "An example of this package: whether a weighted sum of 32 features is positive.",
      seconds: 2,
      figure: { name: "test accuracy", atLeast: 0.88 },
      beside: [[0.5, "guessing"]],
      next: [
        ["toy --encode=ttfs", "spike times in the place of random spikes"],
        ["mnist", "real digits"],
      ],
    },
    mnist: {
      title: "Trains a spiking classifier on MNIST (snnTorch's tutorial 5).",
      source: "The network and settings of snnTorch's tutorial 5.",
      seconds: 20,
      figure: { name: "test accuracy by spike count", atLeast: 0.94 },
      beside: [
        [0.9517, "one epoch, seed 0"],
        [0.1, "guessing"],
      ],
      next: [
        ["mnist --epochs=3", "more passes over the training set"],
        ["quantize", "the same network with weights of 8 bits"],
        ["conv", "convolutions"],
      ],
    },
    quantize: {
      title: "Trains tutorial 5's network with weights of 8, 4 and 2 bits, and ternary ones.",
      source: "Bengio, Léonard and Courville (2013); Li, Zhang and Liu (2016).",
      seconds: 60,
      figure: { name: "test accuracy", atLeast: 0.9756 },
      beside: [
        [0.976, `8 bits, ${mean}`],
        [0.9754, `4 bits, ${mean}`],
        [0.9687, `2 bits, ${mean}`],
        [0.9663, `ternary, ${mean}`],
      ],
      next: [
        ["quantize --bits=ternary", "weights of −1, 0 and 1"],
        ["energy", "fewer operations"],
      ],
    },
    conv: {
      title: "Trains a convolutional spiking network on MNIST (snnTorch's tutorial 6).",
      source: "The layers of snnTorch's tutorial 6.",
      seconds: 410,
      figure: { name: "test accuracy", atLeast: 0.9902 },
      beside: [
        [0.9912, `three epochs, ${mean}`],
        [0.9899, `one epoch, ${mean}`],
      ],
      next: [
        ["conv --epochs=1", "a third of the time"],
        ["convert", "the same task, trained without spikes"],
      ],
    },
    energy: {
      title: "Trains convolutional spiking networks on MNIST for several budgets of operations.",
      source: "Sorbaro et al. (2020); Zhu and Gupta (2017).",
      seconds: 100,
      figure: { name: "test accuracy at half the operations", atLeast: 0.9728 },
      beside: [
        [0.9806, `no budget, ${mean}`],
        [0.9764, `half the operations, ${mean}`],
        [0.97, `a quarter, with pruning, ${mean}`],
      ],
      next: [["quantize", "fewer bits in the place of fewer operations"]],
    },
    pays: {
      title:
        "Compares two spiking networks of the site with dense networks of the same accuracy, by energy and by time.",
      source: "Networks of this package; energies of operations by Horowitz (2014).",
      seconds: 750,
      figure: { name: "energy of a digit, as a share of a dense pass", atMost: 0.5 },
      beside: [[1, "a dense pass"]],
      next: [
        ["pays --epochs=1 --seeds=1", "a quick look"],
        ["energy", "fewer operations by training"],
      ],
    },
    fashion: {
      title: "Trains fully connected or convolutional spiking networks on Fashion-MNIST.",
      source: "Clothes in the place of digits, Xiao et al. (2017), by a split of the package.",
      seconds: 26,
      figure: { name: "test accuracy", atLeast: 0.8842 },
      beside: [
        [0.8844, `fully connected, ${mean}`],
        [0.9153, `convolutional, ${mean}`],
      ],
      next: [["fashion --network=conv", "convolutions, in 195 s"]],
    },
    randman: {
      title: "Classifies smooth random manifolds by spike times (Zenke and Vogels 2021).",
      source: "Zenke and Vogels (2021), section 4.1.1.",
      seconds: 18,
      figure: { name: "test accuracy", atLeast: 0.985 },
      beside: [
        [0.9901, "mean of the seeds 0 … 9"],
        [0.1, "guessing"],
      ],
      next: [
        ["randman --dimensions=2", "surfaces in the place of curves"],
        ["spoken", "spike times of speech"],
      ],
    },
    sequence: {
      title: "Solves a delayed XOR with recurrent spiking layers, and saves and loads them.",
      source: "A delayed XOR, with decays and thresholds that are learned.",
      seconds: 5,
      figure: { name: "test accuracy", atLeast: 0.998 },
      beside: [
        [0.9983, mean],
        [0.5, "guessing"],
      ],
      next: [
        ["sequence --hidden=16", "fewer neurons"],
        ["store-recall", "a memory of seconds"],
      ],
    },
  },
  "Eyes and ears": {
    saccades: {
      title: "Classifies digits that move before a simulated event camera, as those of N-MNIST (Orchard et al. 2015).",
      source: "Orchard et al. (2015), by a simulated camera.",
      seconds: 225,
      figure: { name: "test accuracy", atLeast: 0.9898 },
      beside: [
        [0.9902, `two epochs, ${mean}`],
        [0.988, "one epoch, seed 0"],
      ],
      next: [
        ["saccades --epochs=1 --bin=60", "longer time bins, in 57 s"],
        ["gesture", "movements in the place of shapes"],
      ],
    },
    gesture: {
      title: "Tells moving hands before an event camera apart by a convolutional, recurrent spiking network.",
      source: "Amir et al. (2017), with hands that are drawn.",
      seconds: 74,
      figure: { name: "test accuracy", atLeast: 0.9942 },
      beside: [
        [0.9973, "mean of the seeds 0 … 9"],
        [0.51, "slices in a random order: the direction is lost"],
      ],
      next: [
        ["gesture --view=shuffled", "the control without an order of time"],
        ["gesture --delays=off", "the network without its delays"],
      ],
    },
    spoken: {
      title: "Recognises spoken digits of unheard voices by a recurrent network of adaptive neurons.",
      source: "Cramer et al. (2020) and Yin, Corradi and Bohté (2021), with a synthesiser's voices.",
      seconds: 42,
      figure: { name: "accuracy on unheard voices", atLeast: 0.9948 },
      beside: [
        [0.9951, mean],
        [0.1, "guessing"],
      ],
      next: [
        ["spoken --way=hair", "spikes of hair cells"],
        ["spoken --bin=40", "longer time steps, in half the time"],
      ],
    },
  },
  "A network without spikes that becomes a spiking one": {
    convert: {
      title: "Trains a convolutional network without spikes on MNIST, and converts it into a spiking one.",
      source: "Rueckauer et al. (2017); Bu, Ding, Yu and Huang (2022).",
      seconds: 105,
      figure: { name: "test accuracy with spikes", atLeast: 0.9934 },
      beside: [
        [0.9936, "without spikes, seed 0"],
        [0.9935, `16 time steps, ${mean}`],
      ],
      next: [["convert --scales=layer", "a single scale for each layer"]],
    },
  },
  "Memory over seconds, by backpropagation and by e-prop": {
    "store-recall": {
      title: "Stores a bit and recalls it after seconds, by backpropagation through time or by e-prop (Bellec et al.).",
      source: "Bellec et al. (2018); by e-prop Bellec et al. (2020).",
      seconds: 5,
      figure: { name: "error at delays beyond training", atMost: 0.0105 },
      beside: [
        [0.0067, `backpropagation through time, ${mean}`],
        [0.0223, `e-prop, ${mean}`],
        [0.5, "guessing"],
      ],
      next: [
        ["store-recall --rule=eprop", "learning while the trial runs"],
        ["store-recall --regular=20 --adaptive=0", "no adaptive thresholds: chance"],
      ],
    },
    evidence: {
      title:
        "Decides on which side there were more cues, by backpropagation through time or by e-prop (Bellec et al.).",
      source: "Bellec et al. (2020), after Morcos and Harvey (2016).",
      seconds: 7,
      figure: { name: "accuracy at trained delays", atLeast: 0.9856 },
      beside: [
        [0.9885, `backpropagation through time, ${mean}`],
        [0.9753, `e-prop, ${mean}`],
        [0.5, "guessing"],
      ],
      next: [["evidence --rule=eprop", "learning while the trial runs"]],
    },
  },
  "Rules for synapses": {
    neighbours: {
      title:
        "Grows a hundred receptive fields from noise to digits without a teacher, in seconds, as the site shows them.",
      source: "Diehl and Cook (2015), with settings for images of 14 × 14 pixels that are shown once.",
      seconds: 4,
      figure: { name: "test accuracy", atLeast: 0.72 },
      beside: [[0.1, "guessing"]],
      next: [
        ["neighbours --inhibition=0", "without inhibition all fields become one"],
        ["diehl-cook", "all of MNIST, at its full resolution"],
      ],
    },
    "diehl-cook": {
      title: "Learns digits without labels, by spike-timing-dependent plasticity (Diehl and Cook 2015).",
      source: "Diehl and Cook (2015).",
      seconds: 200,
      figure: { name: "test accuracy", atLeast: 0.8436 },
      beside: [
        [0.8508, `100 neurons, ${mean}`],
        [0.829, "the paper, 100 neurons, several passes"],
        [0.9001, `400 neurons, ${mean}`],
        [0.87, "the paper, 400 neurons"],
      ],
      next: [
        ["diehl-cook --images=10000", "a quick look"],
        ["diehl-cook --neurons=400", "more neurons, in 260 s"],
      ],
    },
    reward: {
      title: "Learns by rewards alone which of four inputs to take, and again after a reversal.",
      source: "Izhikevich (2007).",
      seconds: 2,
      figure: { name: "right in the last 100 trials behind the reversal", atLeast: 1 },
      beside: [
        [1, mean],
        [0.5, "guessing"],
      ],
      next: [["reward --trials=100", "a reversal before all is learned"]],
    },
    pairing: {
      title: "Draws weights after pairings of spikes over their frequency, by pairs and triplets.",
      source: "Pfister and Gerstner (2006), beside the measurements of Sjöström et al. (2001).",
      seconds: 2,
      figure: { name: "distance of nearest triplets from the measurements, in standard errors", atMost: 0.6 },
      beside: [
        [0.58, "all triplets"],
        [2.71, "pairs alone"],
      ],
      next: [["pairing --frequency=20", "the window at another frequency"]],
    },
  },
  "Attractors with fixed weights": {
    ring: {
      title: "Keeps a direction as a bump of spikes on a ring, turns it by an input and moves it to a cue.",
      source: "Skaggs et al. (1995); Xie, Hahnloser and Seung (2002).",
      seconds: 1.3,
      figure: { name: "mean drift in degrees after 2 s", atMost: 4 },
      beside: [
        [2.8, "mean of the seeds 0 … 9"],
        [1.7, "512 neurons in each ring"],
        [90, "no memory"],
      ],
      next: [
        ["ring --neurons=64", "fewer neurons, more drift"],
        ["associative", "patterns in the place of a direction"],
      ],
    },
    associative: {
      title: "Recalls stored patterns from damaged cues by spikes (Hopfield 1982), and draws the capacity.",
      source: "Hopfield (1982), by spiking neurons.",
      seconds: 7,
      figure: { name: "part of the patterns recalled", atLeast: 1 },
      beside: [
        [1, mean],
        [1, "Hopfield's binary network"],
      ],
      next: [["associative --load=0.08", "more patterns in the same network"]],
    },
  },
  Control: {
    cartpole: {
      title: "Learns to balance a pole on a cart by spikes (proximal policy optimisation).",
      source: "Barto, Sutton and Anderson (1983), as CartPole-v1 of Gym; Schulman et al. (2017).",
      seconds: 7,
      figure: { name: "mean return of the test episodes", atLeast: 500 },
      beside: [
        [500, `${mean}; the most that there is`],
        [22, "pushes at random"],
      ],
      next: [["cartpole --encode=population", "observations as spike times"]],
    },
    balance: {
      title: "Learns to balance a pole that is kicked, and stops when it can.",
      source: "The demo cartpole, with kicks.",
      seconds: 3,
      figure: { name: "mean return of the test episodes", atLeast: 495 },
      beside: [
        [500, `${mean}; the most that there is`],
        [22, "pushes at random"],
      ],
      next: [
        ["balance --kick=1.5", "a harder kick, which few policies survive"],
        ["balance --updates=40", "a policy that has not learned enough"],
      ],
    },
  },
  "A sheet of all neurons": {
    neurons: {
      title: "Draws the response of each neuron to a step of current, and its f–I curve, on one sheet.",
      source: "The papers stand in docs/neuron-models.md.",
      seconds: 2,
      figure: { name: "neurons that fire", atLeast: 20 },
      beside: [[20, "neurons on the sheet"]],
      next: [["neurons --noise=0.3", "a noisy current"]],
    },
  },
} as const satisfies Record<string, Record<string, Words>>;

type Groups = typeof GROUPS;

/** The name of a demo. */
export type DemoName = { [G in keyof Groups]: keyof Groups[G] }[keyof Groups] & string;

/** All demos by name. */
export const DEMOS = Object.assign({}, ...Object.values(GROUPS)) as Record<DemoName, Words>;

/** The lines that name every demo, in groups, with the time of a run; tabs are those of `wrapped`. */
export function listed(): string {
  const width = Math.max(...Object.keys(DEMOS).map((name) => name.length)) + 2;
  const lines = Object.entries<Record<string, Words>>(GROUPS).map(([group, demos]) => [
    group,
    ...Object.entries(demos).map(
      ([name, { title, seconds }]) => `  ${name.padEnd(width)}${`${seconds} s`.padStart(6)}  \t${title}`,
    ),
  ]);
  return lines.map((group) => group.join("\n")).join("\n\n");
}
