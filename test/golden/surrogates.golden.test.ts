/** The surrogates of snnTorch, Norse and SpikingJelly in terms of this package. */
import { type CustomSurrogate, type Surrogate, surrogate } from "jarvis-snn";
import { snntorchSurrogate } from "./snntorch.ts";
import { type Scaled, surrogateSuite } from "./surrogate-suite.ts";

const custom = (derivative: CustomSurrogate["derivative"]): Scaled => [surrogate.custom({ derivative }), 1];
const plain = (s: Surrogate): Scaled => [s, 1];

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
  surrogateOf: ({ name, kwargs = {} }) => plain(snntorchSurrogate(name, kwargs)),
});

/** By name, as functions of Norse's alpha. */
const NORSE: Readonly<Record<string, (alpha: number) => Scaled>> = {
  super: (alpha) => plain(surrogate.superSpike({ alpha })),
  triangle: (alpha) => [surrogate.triangular(), alpha],
  // 1 − tanh²(αx) = 4·σ(2αx)·(1 − σ(2αx))
  tanh: (alpha) => [surrogate.sigmoid({ slope: 2 * alpha }), 2 / alpha],
  circ: (alpha) =>
    custom((x) =>
      x
        .mul(1 / alpha)
        .square()
        .add(1)
        .pow(-1.5),
    ),
  heavi_erfc: (alpha) => [surrogate.erf({ alpha }), 2 / alpha],
};

surrogateSuite({
  file: "norse/surrogate_encode",
  reads: ["grid", "entries"],
  leftOut: { encode: "encoders are not surrogates" },
  fire: "gt",
  surrogateOf: ({ name, alpha = Number.NaN }) => lookUp(NORSE, name)(alpha),
});

type Attributes = Readonly<Record<string, number>>;

/** By name, as functions of SpikingJelly's attributes. */
const SPIKINGJELLY: Readonly<Record<string, (attributes: Attributes) => Scaled>> = {
  PiecewiseQuadratic: ({ alpha = 1 }) => plain(surrogate.triangular({ width: 1 / alpha })),
  PiecewiseExp: ({ alpha = 1 }) =>
    custom((x) =>
      x
        .abs()
        .mul(-alpha)
        .exp()
        .mul(alpha / 2),
    ),
  Sigmoid: ({ alpha = 4 }) => plain(surrogate.sigmoid({ slope: alpha })),
  SoftSign: ({ alpha = 2 }) => [surrogate.fastSigmoid({ slope: alpha }), alpha / 2],
  SuperSpike: ({ alpha = 1 }) => [surrogate.superSpike({ alpha }), alpha],
  ATan: ({ alpha = 2 }) => plain(surrogate.atan({ alpha })),
  NonzeroSignLogAbs: ({ alpha = 1 }) =>
    custom((x) =>
      x
        .abs()
        .add(1 / alpha)
        .reciprocal(),
    ),
  Erf: ({ alpha = 2 }) => plain(surrogate.erf({ alpha })),
  PiecewiseLeakyReLU: ({ w = 1, c = 0.01 }) => custom((x, { where }) => where(x.abs().lt(w), 1 / (2 * w), c)),
  S2NN: ({ alpha = 4, beta = 1 }) =>
    custom((x, { where }) => {
      const s = x.mul(alpha).sigmoid();
      return where(x.lt(0), s.mul(s.mul(-1).add(1)).mul(alpha), x.abs().add(1).reciprocal().mul(beta));
    }),
  QPseudoSpike: ({ alpha = 2 }) =>
    custom((x) =>
      x
        .abs()
        .mul(2 / (alpha - 1))
        .add(1)
        .pow(-alpha),
    ),
  LeakyKReLU: ({ leak = 0, k = 1 }) => custom((x, { where }) => where(x.ge(0), k, leak)),
  Rect: ({ alpha = 1 }) => plain(surrogate.boxcar({ width: 1 / alpha })),
};

surrogateSuite({
  file: "spikingjelly/surrogates",
  reads: ["grid", "entries"],
  leftOut: {},
  fire: "ge",
  surrogateOf: ({ name, attrs = {} }) => lookUp(SPIKINGJELLY, name)(attrs),
});
