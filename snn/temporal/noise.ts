/** Noise in the current of neurons, by default only in training. */
import { type Range, withDefaults } from "../../engine/arguments.ts";
import { buffer, composed, generatorOf } from "../../engine/extend.ts";
import { type Generator, Module, parameter, randn, type Tensor } from "../../engine/index.ts";
import { type Loading, traitsOf } from "../../engine/protocol.ts";
import { checkSequence } from "../layer/checks.ts";
import { checkPerNeuron, persistentCopy } from "../layer/per-neuron.ts";

/** Options of {@link CurrentNoise}. */
export interface CurrentNoiseOptions {
  /** σ in the unit of the current, ≥ 0; a tensor [N] has a value for each neuron. Default 0.1. */
  std?: number | Tensor;
  /** Whether σ is learned, as a parameter `std`. Default false. */
  learnStd?: boolean;
  /** Whether evaluation mode adds noise too. Default false. */
  evaluation?: boolean;
  /** Source of random numbers; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  std: undefined as number | Tensor | undefined,
  learnStd: false,
  evaluation: false,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof CurrentNoiseOptions, unknown>;

const NOT_NEGATIVE: Range = { expected: "finite in float32 and ≥ 0", fits: (x) => x >= 0 && Math.fround(x) < Infinity };

/**
 * Adds white noise to the current of the next layer:
 *
 *   z[t] = I[t] + σ·ξ[t]      ξ ~ N(0, 1), independent for each step, sample and neuron
 *
 * Shapes: I [T, B, …] → z [T, B, …]; σ [] or [N]. All of ξ is drawn before the time loop, in row-major order, so that a generator with the same seed
 * gives the same run. Default σ = 0.1, only in training. For a learned σ, ∂L/∂σ = Σ ∂L/∂z·ξ.
 *
 * @throws RangeError unless std is ≥ 0 and finite; TypeError for an unknown option or a value of the wrong type.
 * @see Gerstner, Kistler, Naud and Paninski (2014), Neuronal Dynamics, chapter 8, Noisy Input Models, Cambridge University Press.
 *
 * @example
 * ```ts
 * import { CurrentNoise, LIF, Linear, rand, Sequential } from "jarvis-snn";
 *
 * const network = new Sequential(new Linear(784, 100), new CurrentNoise({ std: 0.2 }), new LIF());
 * console.log(network.forward(rand([25, 4, 784])).shape); // [ 25, 4, 100 ]
 * ```
 */
export class CurrentNoise extends Module {
  /** σ, [] or [N]; a parameter if it is learned. */
  readonly std: Tensor;
  /** Whether noise is added in evaluation mode too. */
  readonly evaluation: boolean;
  /** Source of random numbers. */
  readonly generator: Generator;

  constructor(options: CurrentNoiseOptions = {}) {
    super(TRAITS);
    const { std = 0.1, learnStd, evaluation, generator } = withDefaults("CurrentNoise", DEFAULTS, options);
    this.generator = generatorOf("CurrentNoise", generator);
    this.evaluation = evaluation;
    const own = persistentCopy("CurrentNoise", "std", std, NOT_NEGATIVE);
    this.std = learnStd ? parameter(own) : buffer(own);
  }

  /** @internal */
  override loadingOf(t: Tensor): Loading | undefined {
    return t === this.std && t.isBuffer ? { range: NOT_NEGATIVE } : undefined;
  }

  /**
   * Returns the current [T, B, …] plus noise.
   *
   * @throws RangeError unless the current has a time axis and fits the σ of each neuron.
   */
  forward(current: Tensor): Tensor {
    checkSequence("CurrentNoise", "a current", current);
    checkPerNeuron("CurrentNoise", "std", this.std, current.sizes);
    if (!(this.training || this.evaluation)) return current;
    return composed(CurrentNoise.added, this, current);
  }

  private static added({ std, generator }: CurrentNoise, current: Tensor): Tensor {
    return current.add(randn(current.sizes, { generator }).mul(std));
  }
}

const TRAITS = traitsOf(CurrentNoise, "stepwise");
