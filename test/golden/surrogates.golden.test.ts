/** The surrogates of snnTorch, Norse and SpikingJelly in terms of this package. */
import { type Surrogate, surrogate } from "jarvis-snn";
import { snntorchSurrogate } from "./snntorch.ts";
import { surrogateSuite } from "./surrogate-suite.ts";

const { scaled } = surrogate;

function lookUp<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new Error(`no surrogate for ${JSON.stringify(name)}`);
  return found;
}

surrogateSuite({
  file: "snntorch/surrogates",
  reads: ["grid", "upstream", "entries"],
  leftOut: { SSO: "its derivative below the threshold is drawn at random" },
  fire: "gt",
  surrogateOf: ({ name, kwargs = {} }) => snntorchSurrogate(name, kwargs),
});

/** By name, as functions of Norse's alpha. */
const NORSE: Readonly<Record<string, (alpha: number) => Surrogate>> = {
  super: (alpha) => surrogate.superSpike({ alpha }),
  triangle: (alpha) => scaled(surrogate.triangular(), alpha),
  // 1 − tanh²(αx) = 4·σ(2αx)·(1 − σ(2αx))
  tanh: (alpha) => scaled(surrogate.sigmoid({ slope: 2 * alpha }), 2 / alpha),
  circ: (alpha) => surrogate.circ({ alpha }),
  heavi_erfc: (alpha) => scaled(surrogate.erf({ alpha }), 2 / alpha),
};

surrogateSuite({
  file: "norse/surrogate_encode",
  reads: ["grid", "entries"],
  leftOut: { encode: "encoders are compared in encoding.golden.test.ts" },
  fire: "gt",
  surrogateOf: ({ name, alpha = Number.NaN }) => lookUp(NORSE, name)(alpha),
});

type Attributes = Readonly<Record<string, number>>;

/** By name, as functions of SpikingJelly's attributes. */
const SPIKINGJELLY: Readonly<Record<string, (attributes: Attributes) => Surrogate>> = {
  PiecewiseQuadratic: ({ alpha = 1 }) => surrogate.triangular({ width: 1 / alpha }),
  PiecewiseExp: ({ alpha = 1 }) => surrogate.piecewiseExp({ alpha }),
  Sigmoid: ({ alpha = 4 }) => surrogate.sigmoid({ slope: alpha }),
  SoftSign: ({ alpha = 2 }) => scaled(surrogate.fastSigmoid({ slope: alpha }), alpha / 2),
  SuperSpike: ({ alpha = 1 }) => scaled(surrogate.superSpike({ alpha: 1 }), alpha),
  ATan: ({ alpha = 2 }) => surrogate.atan({ alpha }),
  NonzeroSignLogAbs: ({ alpha = 1 }) => surrogate.nonzeroSignLogAbs({ alpha }),
  Erf: ({ alpha = 2 }) => surrogate.erf({ alpha }),
  PiecewiseLeakyReLU: ({ w = 1, c = 0.01 }) => surrogate.piecewiseLeakyReLU({ w, c }),
  SquarewaveFourierSeries: ({ n = 2, T_period = 8 }) => surrogate.squarewaveFourierSeries({ n, period: T_period }),
  S2NN: ({ alpha = 4, beta = 1 }) => surrogate.s2nn({ alpha, beta }),
  QPseudoSpike: ({ alpha = 2 }) => surrogate.qPseudoSpike({ alpha }),
  LeakyKReLU: ({ leak = 0, k = 1 }) => surrogate.leakyKReLU({ leak, k }),
  FakeNumericalGradient: ({ alpha = 0.3 }) => surrogate.fakeNumericalGradient({ alpha }),
  LogTailedReLU: ({ alpha = 0 }) => surrogate.logTailedReLU({ alpha }),
  Rect: ({ alpha = 1 }) => surrogate.boxcar({ width: 1 / alpha }),
  DeterministicPass: () => surrogate.straightThrough(),
};

surrogateSuite({
  file: "spikingjelly/surrogates",
  reads: ["grid", "entries"],
  leftOut: {},
  fire: "ge",
  surrogateOf: ({ name, attrs = {} }) => lookUp(SPIKINGJELLY, name)(attrs),
});
