/** A network that learns by reward which of its inputs to take, and its trials. */
import {
  concat,
  Generator,
  Linear,
  noGrad,
  Plastic,
  poissonEncode,
  RecurrentLIF,
  RewardSTDP,
  rand,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "jarvis-snn";

/** Inputs, each a group of neurons, and neurons for each of the two actions. */
export const CUES = 4;
const GROUP = 10;
const CHOOSERS = 5;
/** The actions: to take what the input offers, or to leave it. */
const ACTIONS = ["take", "leave"] as const;
type Action = (typeof ACTIONS)[number];

/** Steps of a trial, of 1 ms each: an input is shown, nothing follows, and the reward comes with the last step. */
const SHOWN = 50;
const DELAY = 50;
/** Spikes of a neuron of the input that is shown, in a step. */
const RATE = 0.05;
/** Standard deviation of the noise in the current of each neuron, so that the network tries both actions. */
const NOISE = 0.1;
/** The current that a spike of a neuron takes from the neurons of the other action. */
const INHIBITION = 0.3;

const TIMESTEPS = SHOWN + DELAY;

/** The answer of the network to an input: the spikes of the input and of the network, [T, 1, N], and the action. */
export interface Response {
  readonly input: Tensor;
  readonly spikes: Tensor;
  readonly action: Action;
}

/**
 * 40 input neurons, 10 for each of four inputs, and 10 LIF neurons, 5 for each action. The neurons for an action inhibit those for the
 * other, and the action with more spikes is taken. The weights between inputs and neurons change by {@link RewardSTDP} alone.
 */
export class RewardNetwork {
  readonly synapses: Linear;
  readonly neurons: RecurrentLIF;
  private readonly plastic: Plastic;
  private readonly generator: Generator;
  private readonly inputs: readonly Tensor[];

  constructor(seed: number) {
    const generator = new Generator(seed);
    const [inputs, outputs] = [CUES * GROUP, ACTIONS.length * CHOOSERS];
    this.generator = generator;
    this.synapses = new Linear(inputs, outputs, { bias: false });
    this.neurons = new RecurrentLIF({ features: outputs, beta: 0.9 });
    noGrad(() => {
      this.synapses.weight.copyFrom(rand([outputs, inputs], { generator }).mul(0.2).add(0.2));
      const group = (j: number) => Math.floor(j / CHOOSERS);
      const others = Array.from({ length: outputs }, (_, j) =>
        Array.from({ length: outputs }, (_, k) => (group(j) === group(k) ? 0 : -INHIBITION)),
      );
      this.neurons.recurrent?.weight.copyFrom(tensor(others));
      this.neurons.recurrent?.bias?.copyFrom(zeros([outputs]));
    });
    const rule = new RewardSTDP({ eta: 0.1, aPlus: 0.1, aMinus: 0.02, tauE: 100 });
    this.plastic = new Plastic(this.synapses, rule, { bounds: [0, 0.5] });
    this.inputs = Array.from({ length: CUES }, (_, cue) =>
      tensor([Array.from({ length: inputs }, (_, i) => (Math.floor(i / GROUP) === cue ? RATE : 0))]),
    );
  }

  /** Shows an input, without a reward. Weights change by a reward alone, so a whole trial is computed at once. */
  respond(cue: number): Response {
    const { generator } = this;
    return noGrad(() => {
      const shown = poissonEncode(this.inputs[cue] as Tensor, { timesteps: SHOWN, generator });
      const input = concat([shown, zeros([DELAY, 1, CUES * GROUP])]);
      const noise = randn([TIMESTEPS, 1, ACTIONS.length * CHOOSERS], { generator }).mul(NOISE);
      const spikes = this.neurons.forward(this.synapses.forward(input).add(noise));
      const counts = spikes.reshape([TIMESTEPS, ACTIONS.length, CHOOSERS]).sum({ axis: [0, 2] });
      const [take = 0, leave = 0] = counts.toFloat32Array();
      const takes = take === leave ? generator.permutation(2)[0] === 0 : take > leave;
      return { input, spikes, action: takes ? "take" : "leave" };
    });
  }

  /** Shows an input, rewards the right action and punishes the other; tells which it was. Right is to take what is baited alone. */
  trial(cue: number, isBaited: boolean): boolean {
    const { plastic } = this;
    return noGrad(() => {
      const { input, spikes, action } = this.respond(cue);
      const isRight = isBaited === (action === "take");
      const [before, behind] = [input.unbind(0), spikes.unbind(0)];
      let state = plastic.initialState(1);
      for (let t = 0; t < TIMESTEPS; t++) {
        const outcome = t === TIMESTEPS - 1 ? { reward: isRight ? 1 : -1 } : {};
        state = plastic.step(before[t] as Tensor, behind[t] as Tensor, state, outcome);
      }
      return isRight;
    });
  }
}
