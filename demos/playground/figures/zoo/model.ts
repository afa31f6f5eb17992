/** The firing patterns of two equations, each a neuron with a window of time and a current of its own, run side by side. */
import {
  AdEx,
  adExPattern,
  adExPatterns,
  Izhikevich,
  izhikevichPattern,
  izhikevichPatterns,
  noGrad,
  type Tensor,
  tensor,
} from "jarvis-snn";

/** A neuron that fires in a way that has a name. */
export interface Pattern {
  readonly name: string;
  /** Numbers of its equation by their names. */
  readonly numbers: Readonly<Record<string, number>>;
  /** v and the recovery before the first step. */
  readonly start: readonly [v: number, recovery: number];
  /** The current of its paper, a value for each step. */
  readonly own: Float32Array;
  /** The current that stands for none, and how far the paper's goes away from it at most. */
  readonly rest: number;
  readonly span: number;
  readonly milliseconds: number;
}

export interface Response {
  /** The membrane before the reset, and the current, a value for each step. */
  readonly membrane: Float32Array;
  readonly current: Float32Array;
  /** Steps with a spike. */
  readonly spikes: readonly number[];
}

/** Patterns of one equation. */
export interface Family {
  readonly patterns: readonly Pattern[];
  /** Where a membrane lies in mV; what lies outside is the peak of a spike. */
  readonly low: number;
  readonly high: number;
  /**
   * Responses to one current for all, LEVELS values over the window of each pattern: 1 is as far from its rest as its paper's current goes, −1 as
   * far the other way. Null is the current of its paper for each.
   */
  run(levels: Float32Array | null): Response[];
}

/** Patterns whose recovery has constants a and b that can be changed. */
export interface MovableFamily extends Family {
  /** Gives a pattern other constants. */
  move(index: number, a: number, b: number): void;
}

/** Values of a drawn current. */
export const LEVELS = 200;

/** A name as a sentence begins: "spikeLatency" is "Spike latency". */
const titles: Readonly<Record<string, string>> = {
  class1Excitability: "Class 1 excitability",
  class2Excitability: "Class 2 excitability",
  inhibitionInducedSpiking: "Inhibition-induced spiking",
  inhibitionInducedBursting: "Inhibition-induced bursting",
};

export function titleOf({ name }: Pattern): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return titles[name] ?? words.replace(/^./, (letter) => letter.toUpperCase());
}

/** The terms of Izhikevich's equation that some patterns change. */
const IZHIKEVICH = { linear: 5, bias: 140, recoveryRest: 0, recoveryLeak: 1 };

/** Izhikevich's patterns of these names, by default all twenty. */
export function izhikevichFamily(names: typeof izhikevichPatterns = izhikevichPatterns): MovableFamily {
  return noGrad(() => {
    const patterns = names.map((name): Pattern => {
      const { options, current, state } = izhikevichPattern(name);
      const { fire: _fire, ...numbers } = options;
      const own = current.toFloat32Array();
      const rest = own[0] as number;
      return {
        name,
        numbers: { ...IZHIKEVICH, ...numbers },
        start: [state.v.item(), state.u.item()],
        own,
        rest,
        span: Math.max(...own.map((value) => Math.abs(value - rest))),
        milliseconds: (own.length - 1) * options.dt,
      };
    });
    const number = numbersOf(patterns);
    const layer = new Izhikevich({
      a: number("a"),
      b: number("b"),
      c: number("c"),
      d: number("d"),
      dt: number("dt"),
      linear: number("linear"),
      bias: number("bias"),
      recoveryRest: number("recoveryRest"),
      recoveryLeak: number("recoveryLeak"),
      fire: "gt",
    });
    const run = (levels: Float32Array | null): Response[] =>
      noGrad(() => {
        const [v, u] = startsOf(patterns);
        const currents = currentsOf(patterns, levels);
        return responsesOf(patterns, currents, layer.unroll(currents, { v, u }));
      });
    const move = (index: number, a: number, b: number): void => {
      patterns[index] = { ...(patterns[index] as Pattern), numbers: { ...patterns[index]?.numbers, a, b } };
      layer.a.copyFrom(patterns.map(({ numbers }) => numbers.a as number));
      layer.b.copyFrom(patterns.map(({ numbers }) => numbers.b as number));
    };
    return { patterns, low: -90, high: 30, run, move };
  });
}

/** The eight patterns of AdEx, each under half a second of a constant current. */
export function adExFamily(): Family {
  return noGrad(() => {
    const patterns = adExPatterns.map((name): Pattern => {
      const { options, current } = adExPattern(name);
      const own = current.toFloat32Array();
      return {
        name,
        numbers: options,
        start: [options.EL, 0],
        own,
        rest: 0,
        span: own[0] as number,
        milliseconds: own.length * options.dt,
      };
    });
    const number = numbersOf(patterns);
    const layer = new AdEx({
      C: number("C"),
      gL: number("gL"),
      EL: number("EL"),
      VT: number("VT"),
      deltaT: number("deltaT"),
      a: number("a"),
      tauW: number("tauW"),
      b: number("b"),
      resetValue: number("resetValue"),
      dt: number("dt"),
    });
    const run = (levels: Float32Array | null): Response[] =>
      noGrad(() => {
        const currents = currentsOf(patterns, levels);
        return responsesOf(patterns, currents, layer.unroll(currents));
      });
    return { patterns, low: -90, high: 0, run };
  });
}

/** A number of the equation by its name, for all patterns, [N]. */
const numbersOf =
  (patterns: readonly Pattern[]) =>
  (name: string): Tensor =>
    tensor(patterns.map(({ numbers }) => numbers[name] as number));

const startsOf = (patterns: readonly Pattern[]): [Tensor, Tensor] => [
  tensor(patterns.map(({ start }) => start[0])),
  tensor(patterns.map(({ start }) => start[1])),
];

/** The currents [T, N] for the longest window of all; a pattern whose window has ended is at rest. */
function currentsOf(patterns: readonly Pattern[], levels: Float32Array | null): Tensor {
  const N = patterns.length;
  const T = Math.max(...patterns.map(({ own }) => own.length));
  const currents = new Float32Array(T * N);
  for (const [n, { own, rest, span }] of patterns.entries()) {
    const { length } = own;
    for (let t = 0; t < T; t++) {
      let current = rest;
      if (t < length && levels === null) current = own[t] as number;
      else if (t < length) current += span * ((levels as Float32Array)[Math.floor((t / length) * LEVELS)] as number);
      currents[t * N + n] = current;
    }
  }
  return tensor(currents, { shape: [T, N] });
}

/** Each pattern's part of what all did. */
function responsesOf(
  patterns: readonly Pattern[],
  currents: Tensor,
  { spikes, membrane }: { readonly spikes: Tensor; readonly membrane: Tensor },
): Response[] {
  const N = patterns.length;
  const [fired, values, inputs] = [spikes, membrane, currents].map((all) => all.toFloat32Array()) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  return patterns.map(({ own: { length } }, n) => {
    const [membrane, current] = [new Float32Array(length), new Float32Array(length)];
    const times: number[] = [];
    for (let t = 0; t < length; t++) {
      membrane[t] = values[t * N + n] as number;
      current[t] = inputs[t * N + n] as number;
      if (fired[t * N + n] === 1) times.push(t);
    }
    return { membrane, current, spikes: times };
  });
}

/** Currents for a press: the level at a share of the window. */
const SHAPES = {
  Step: (share: number): number => (share > 0.1 ? 1 : 0),
  Pulse: (share: number): number => (share > 0.1 && share < 0.2 ? 1 : 0),
  Ramp: (share: number): number => share,
  "Push down": (share: number): number => (share > 0.1 && share < 0.4 ? -1 : 0),
} as const;

export type Shape = keyof typeof SHAPES;

export const shapes = Object.keys(SHAPES) as Shape[];

export const levelsOf = (shape: Shape): Float32Array =>
  Float32Array.from({ length: LEVELS }, (_, i) => SHAPES[shape]((i + 0.5) / LEVELS));
