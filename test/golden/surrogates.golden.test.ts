/** The surrogates of snnTorch, Norse and SpikingJelly in terms of this package. */
import { norseSurrogate } from "./norse.ts";
import { snntorchSurrogate } from "./snntorch.ts";
import { spikingjellySurrogate } from "./spikingjelly.ts";
import { surrogateSuite } from "./surrogate-suite.ts";

surrogateSuite({
  file: "snntorch/surrogates",
  reads: ["grid", "upstream", "entries"],
  leftOut: { SSO: "its derivative below the threshold is drawn at random" },
  fire: "gt",
  surrogateOf: ({ name, kwargs = {} }) => snntorchSurrogate(name, kwargs),
});

surrogateSuite({
  file: "norse/surrogate_encode",
  reads: ["grid", "entries"],
  leftOut: { encode: "encoders are compared in encoding.golden.test.ts" },
  fire: "gt",
  surrogateOf: ({ name, alpha = Number.NaN }) => norseSurrogate(name, alpha),
});

surrogateSuite({
  file: "spikingjelly/surrogates",
  reads: ["grid", "entries"],
  leftOut: {},
  fire: "ge",
  surrogateOf: ({ name, attrs = {} }) => spikingjellySurrogate(name, attrs),
});
