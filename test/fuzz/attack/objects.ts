/** Kinds of what the package makes, and of what it reads from files. */
import { fn, type Kind, listOf, nullable, oneOf, spare, t } from "./kinds.ts";

export const generator = nullable(oneOf(["new Generator(1)"]));
const MODELS = [
  "new Linear(3, 2)",
  "new Sequential(new Linear(3, 4), new LIF(), new Linear(4, 2))",
  "new Sequential(new Linear(3, 2), new LeakyIntegrator())",
  "new Sequential(new Linear(3, 2), new LayerNorm(2), new Dropout())",
];
const modelOf = (codes: readonly string[]): Kind =>
  oneOf(codes, [], {
    odd: (code, g) => ({
      code: g.pick([`emptied(${code})`, "new Linear(4, 2)", "new Flatten()"]),
    }),
  });
export const model = modelOf(MODELS);
/** A model that has a name for the arguments after it, and optimizers of its parameters. */
export const trained = modelOf(MODELS.map((code) => `(globalThis.net = ${code})`));
export const itsOptimizer = oneOf([
  "new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 })",
  "new Adam(net.parameters())",
  "new RMSprop(net.parameters(), { momentum: 0.5, centered: true })",
  "new Adagrad(net.parameters())",
]);
const parameters = (...codes: readonly string[]): Kind => ({ ...t(2), draw: (g) => g.pick(codes) });
export const params = listOf(
  parameters("graded(parameter(rand([2, 3])))", "parameter(rand([3]))"),
  parameters("parameter(rand([]))", "graded(parameter(rand([2])))"),
);
export const probed = oneOf(["new Sequential(new Linear(3, 4), new LIF(), new Linear(4, 2))"]);
const withLoss = "record(new LIF(), rand([4, 2, 3]), { loss: (z) => z.sum() })";
export const recording = oneOf([withLoss, "record(new LeakyIntegrator(), rand([4, 2, 3]))"], ["object"]);
export const recordingWithLoss = oneOf([withLoss], ["object"]);
export const optimizer = oneOf([
  "new SGD([graded(parameter(ones([2])))], { lr: 0.1, momentum: 0.9 })",
  "new Adam([graded(parameter(ones([2])))])",
  "new RMSprop([graded(parameter(ones([2])))], { momentum: 0.5, centered: true })",
  "new Adagrad([graded(parameter(ones([2])))])",
]);
export const loader = oneOf(
  [
    "new DataLoader(new TensorDataset(new Float32Array(12), [0, 1, 1, 0]), { batchSize: 2 })",
    "[{ x: rand([2, 1, 3]), y: Int32Array.of(0, 1) }]",
  ],
  ["list", "typed", "object", "string"],
);
export const loss = fn("(z) => z.sum()", "(z) => z.square().mean()");
export const encode = fn("(x) => x", "(x) => x.mul(2)");
export const dataset = oneOf([
  "new TensorDataset(new Float32Array(12), [0, 1, 1, 0])",
  "new TensorDataset(rand([3, 2]), rand([3, 2]))",
  "{ length: 3, batch: (indices) => ({ x: rand([indices.length, 2]), y: indices, lengths: indices.map(() => 2) }) }",
]);

export const surrogate = oneOf([
  "surrogate.atan()",
  "surrogate.boxcar({ width: 1 })",
  "surrogate.triangular()",
  "surrogate.superSpike()",
  "surrogate.custom({ derivative: (x) => x.square().neg().exp() })",
]);
export const bytes = oneOf(
  ["saveSafetensors({ a: rand([2, 3]), b: ones([]) }, { c: 'd' })", "safetensors('{}')"],
  ["typed"],
  {
    odd: (code, g) => ({
      code: g.pick([
        `flipped(${code}, ${g.int(0, 120)}, ${1 << g.int(0, 7)})`,
        `(${code}).subarray(0, ${g.int(0, 90)})`,
        `new Float32Array((${code}).buffer)`,
        `new DataView((${code}).buffer)`,
        ...HEADERS.map((header) => `safetensors(${header}, 8)`),
      ]),
    }),
  },
);
const HEADERS = [
  `'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'`,
  `'{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]},"a":1}'`,
  `'{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"__proto__":{}}'`,
  `'{"a":{"dtype":"F32","shape":null,"data_offsets":[8,0]},"__metadata__":{"b":1}}'`,
  `'{"a":' + '{"a":'.repeat(60_000) + "1" + "}".repeat(60_001)`,
  `'{"a":{"dtype":' + "[".repeat(20_000) + "]".repeat(20_000) + "}}"`,
  `'{"__metadata__":{"a":"' + '\\\\"'.repeat(3_000_000) + '"}}'`,
  `"[1]"`,
  `"null"`,
];
export const entry = oneOf(["rand([2, 3])", "{ shape: [2], data: Float32Array.of(1, 2) }"], [], {
  odd: (_, g) => ({
    code: g.pick([
      "freed(ones([2]))",
      "{ shape: [2] }",
      "{ data: Float32Array.of(1) }",
      "{ shape: [3], data: Float32Array.of(1) }",
      "{ shape: [1], data: [1] }",
      "{ shape: [1], data: ['a'] }",
      "{ shape: [1], data: detached([1]) }",
      "{ shape: 1, data: Float32Array.of(1) }",
      "changing({ shape: [2], data: Float32Array.of(1, 2) }, 'data', new Float32Array(99))",
      "changing({ shape: [2], data: Float32Array.of(1, 2) }, 'shape', [99])",
      "{ shape: [2], data: changing([1, 2], 0, 'a') }",
    ]),
  }),
});
export const path = (...codes: readonly string[]): Kind =>
  oneOf(codes, ["string", "typed"], {
    odd: (code, g) => ({
      code: g.pick([
        `damaged(${code}, ${g.int(0, 600)}, ${1 << g.int(0, 7)})`,
        `cut(${code}, ${g.int(0, 300)})`,
        '"missing/file"',
        '"."',
        '"a\\0b"',
        `"${"x".repeat(300)}"`,
      ]),
    }),
  });
export const run = {
  model: oneOf(["new Linear(2, 2)"], [], model),
  optimizer: oneOf(["new SGD(new Linear(2, 2).parameters())"]),
  generator: spare(generator),
  scheduler: spare(oneOf(["new StepLR(new SGD([parameter(ones([2]))], { lr: 1 }), { stepSize: 1 })"])),
};

export const self = (...codes: readonly string[]): Kind => ({ ...oneOf(codes), fixed: true });
export const schedulers = self(
  `new StepLR(new SGD([parameter(ones([2]))], { lr: 0.1 }), { stepSize: 1 })`,
  `new OneCycleLR(new Adam([parameter(ones([2]))]), { maxLr: 1, totalSteps: 3 })`,
  `new ReduceLROnPlateau(new SGD([parameter(ones([2]))], { lr: 0.1 }))`,
  `new LambdaLR(new SGD([parameter(ones([2]))], { lr: 0.1 }), { lrLambda: (epoch) => 1 / (1 + epoch) })`,
);
