/** The demos by name, each with a line that says what it shows. `npm run demo -- NAME` runs one. */
export const DEMOS = {
  toy: "Trains a spiking network on a linear toy task.",
  mnist: "Trains a spiking classifier on MNIST (snnTorch's tutorial 5).",
  quantize: "Trains tutorial 5's network with weights of 8, 4 and 2 bits, and ternary ones.",
  conv: "Trains a convolutional spiking network on MNIST (snnTorch's tutorial 6).",
  energy: "Trains convolutional spiking networks on MNIST for several budgets of operations.",
  fashion: "Trains fully connected or convolutional spiking networks on Fashion-MNIST.",
  saccades: "Classifies digits that move before a simulated event camera, as those of N-MNIST (Orchard et al. 2015).",
  randman: "Classifies smooth random manifolds by spike times (Zenke and Vogels 2021).",
  spoken: "Recognises spoken digits of unheard voices by a recurrent network of adaptive neurons.",
  cartpole: "Learns to balance a pole on a cart by spikes (proximal policy optimisation).",
  convert: "Trains a convolutional network without spikes on MNIST, and converts it into a spiking one.",
  gesture: "Tells moving hands before an event camera apart by a convolutional, recurrent spiking network.",
  neurons: "Draws the response of each neuron to a step of current, and its f–I curve, on one sheet.",
  "store-recall":
    "Stores a bit and recalls it after seconds, by backpropagation through time or by e-prop (Bellec et al.).",
  evidence: "Decides on which side there were more cues, by backpropagation through time or by e-prop (Bellec et al.).",
  pairing: "Draws weights after pairings of spikes over their frequency, by pairs and triplets.",
  "diehl-cook": "Learns digits without labels, by spike-timing-dependent plasticity (Diehl and Cook 2015).",
  sequence: "Solves a delayed XOR with recurrent spiking layers, and saves and loads them.",
  ring: "Keeps a direction as a bump of spikes on a ring, turns it by an input and moves it to a cue.",
  associative: "Recalls stored patterns from damaged cues by spikes (Hopfield 1982), and draws the capacity.",
  reward: "Learns by rewards alone which of four inputs to take, and again after a reversal.",
} as const;

/** The lines that name every demo. */
export function listed(): string {
  const width = Math.max(...Object.keys(DEMOS).map((name) => name.length)) + 2;
  return Object.entries(DEMOS)
    .map(([name, title]) => `  ${name.padEnd(width)}${title}`)
    .join("\n");
}
