/** Runs neurons step by step. Each step also returns the derivatives that the gradients of the weights need. */
import { wrongValue } from "../../engine/arguments.ts";
import { ready } from "../../engine/extend.ts";
import type { Fused, Traced } from "../../engine/fuse/index.ts";
import { allOf, derivativeOf, levelOf, MOST_OUTPUTS, Program, withDerivatives } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { emptyOf, emptySpikesOf } from "../../engine/unchecked.ts";
import type { Neurons } from "../neuron/neuron.ts";
import { loopOf } from "../neuron/op.ts";
import { type FromParameters, type LoopValue, type Named, named } from "../neuron/parameters.ts";
import { columnCount, noteParameters } from "../neuron/run.ts";

export const CURRENT = "current";

/**
 * Derivatives by which the states x of a step propagate the effect of a weight, with the current I = … + w·pre:
 *
 *   ∂x[t]/∂w = ∂x[t]/∂x[t−1]·∂x[t−1]/∂w + ∂x[t]/∂I·pre[t]        ∂z[t]/∂w = ∂z[t]/∂x[t−1]·∂x[t−1]/∂w + ∂z[t]/∂I·pre[t]
 *
 * z is the main output, spikes or the membrane of a readout. States that do not depend on the current, or that z does not depend on, are left out.
 */
export class Derived {
  /** Names of the states x, in the order of the neuron. */
  readonly states: readonly string[];
  /** States x whose ∂x/∂w depends only on the input, because the derivatives in its recursion are constants that all neurons share. */
  readonly shared: readonly string[];
  /** Name of z. */
  readonly main: string;
  private readonly neurons: Neurons;
  /** The step with all derivatives. */
  private readonly traced: Traced;
  /** The step with the derivatives that are used. */
  private readonly program: Program;
  private readonly code: Fused;
  private readonly loop: FromParameters;
  /** All outputs of the step, in the order of the bits of a mask. */
  private readonly outputs: readonly string[];
  /** Names of the derivatives that may not be 0. */
  readonly names: readonly string[];

  constructor(neurons: Neurons) {
    const { compiled } = neurons;
    const { main, states, program } = compiled;
    this.neurons = neurons;
    this.main = main;
    const { definition } = program.traced;
    this.traced = new Program(withDerivatives(definition, [...states, main])).traced;
    const driven = closure(states, (x, others) => this.has(x, CURRENT) || others.some((y) => this.has(x, y)));
    const read = closure(states, (x, others) => this.has(main, x) || others.some((y) => this.has(y, x)));
    this.states = states.filter((x) => driven.includes(x) && read.includes(x));
    const isShared = (x: string, y: string) => isCommon(this.traced, x, y);
    let shared = this.states.filter((x) => isShared(x, CURRENT));
    for (let before = -1; before !== shared.length; ) {
      before = shared.length;
      const now = shared;
      shared = now.filter((x) => this.states.every((y) => isShared(x, y) && (!this.has(x, y) || now.includes(y))));
    }
    this.shared = shared;
    const outputs = [...this.states, main];
    const all = outputs.flatMap((x) => [...this.states, CURRENT].map((y) => [x, y] as const));
    this.names = all.filter(([x, y]) => this.has(x, y)).map(([x, y]) => derivativeOf(x, y));
    this.program = new Program(withDerivatives(definition, outputs, this.names));
    const count = this.program.traced.outputs.size;
    if (count > MOST_OUTPUTS)
      throw wrongValue(definition.name, `a step with at most ${MOST_OUTPUTS} states and derivatives`, count);
    this.code = this.program.compile(null);
    this.loop = loopOf(this.program);
    this.outputs = [...this.program.traced.outputs.keys()];
  }

  /** Whether ∂x/∂y may not be 0. */
  private has(x: string, y: string): boolean {
    return levelOf(this.traced, x, y) !== undefined;
  }

  /** Name of ∂x/∂y; null if it is 0. */
  of(x: string, y: string): string | null {
    return this.has(x, y) ? derivativeOf(x, y) : null;
  }

  /** Whether all derivatives are constants that all neurons share, as a readout requires. */
  get isShared(): boolean {
    const { states, shared, main } = this;
    return shared.length === states.length && [...states, CURRENT].every((y) => isCommon(this.traced, main, y));
  }

  /** Runs one step from states [B, N]: z, the next states and the derivatives, all [B, N]. */
  run(current: Tensor, from: Named): Advance {
    const { neurons, code, names, main } = this;
    const { states, packed } = neurons.compiled;
    neurons.checkNeurons([1, ...current.sizes]);
    const parameters = this.loop.of(neurons, null) as readonly LoopValue[];
    ready(neurons.compiled.name, current);
    const n = columnCount(neurons.compiled.name, parameters, current.size);
    const z = packed ? emptySpikesOf(current.sizes) : emptyOf(current.sizes);
    const next = states.map(() => emptyOf(current.sizes));
    const derivatives = names.map(() => emptyOf(current.sizes));
    const outputs = names.reduce(
      (mask, name) => mask | (1 << this.outputs.indexOf(name)),
      1 << this.outputs.indexOf(main),
    );
    const all = allOf(states.length);
    const bound = code.forward(1, current.size / n, n, outputs, all, all);
    bound.begin();
    try {
      noteParameters(bound, parameters);
      bound.input(0, current.ptr, 0);
      states.forEach((name, i) => bound.state(i, (from[name] as Tensor).ptr, (next[i] as Tensor).ptr));
      bound.output(this.outputs.indexOf(main), packed ? z.bits : z.ptr);
      names.forEach((name, i) => bound.output(this.outputs.indexOf(name), (derivatives[i] as Tensor).ptr));
      bound.run();
    } finally {
      bound.end();
    }
    return { z, next: named(states, next), derivatives: named(names, derivatives) };
  }
}

/** Result of a step. */
export interface Advance {
  readonly z: Tensor;
  readonly next: Named;
  readonly derivatives: Named;
}

/** Level of values that all neurons share. */
const SHARED = 1;

/** Whether ∂x/∂y is a constant that all neurons share, or 0. */
const isCommon = (traced: Traced, x: string, y: string): boolean => (levelOf(traced, x, y) ?? SHARED) <= SHARED;

/** Closure: adds names for which `holds` is true, given the names found before, until none is added. */
function closure(names: readonly string[], holds: (x: string, known: readonly string[]) => boolean): string[] {
  let known: string[] = [];
  for (;;) {
    const now = names.filter((x) => holds(x, known));
    if (now.length === known.length) return now;
    known = now;
  }
}
