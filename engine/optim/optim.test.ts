/** Optimizers: checks, state, and that a resumed run equals an uninterrupted one. Other tests compare the numbers with PyTorch. */
import { describe, expect, test } from "vitest";
import { bits, bytesKept, random, values } from "../../test/support/tensors.ts";
import type { Optimizer, Tensor } from "../index.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  clipGradNorm,
  Generator,
  gradcheck,
  Linear,
  parameter,
  RMSprop,
  rand,
  Sequential,
  SGD,
  tape,
  tensor,
} from "../index.ts";

type Make = (params: Iterable<Tensor>) => Optimizer;

const KINDS: [name: string, make: Make][] = [
  ["SGD", (params) => new SGD(params, { lr: 0.05 })],
  ["SGD with momentum and decay", (params) => new SGD(params, { lr: 0.05, momentum: 0.9, weightDecay: 0.01 })],
  ["SGD with dampening", (params) => new SGD(params, { lr: 0.05, momentum: 0.9, dampening: 0.5 })],
  ["Nesterov", (params) => new SGD(params, { lr: 0.05, momentum: 0.9, nesterov: true })],
  ["Adam", (params) => new Adam(params, { lr: 0.05, weightDecay: 0.01 })],
  ["AMSGrad", (params) => new Adam(params, { lr: 0.05, amsgrad: true })],
  ["AdamW", (params) => new AdamW(params, { lr: 0.05, betas: [0.8, 0.9] })],
  ["RMSprop", (params) => new RMSprop(params, { lr: 0.02, weightDecay: 0.01 })],
  [
    "RMSprop, centered and with momentum",
    (params) => new RMSprop(params, { lr: 0.002, centered: true, momentum: 0.9 }),
  ],
  ["Adagrad", (params) => new Adagrad(params, { lr: 0.5, lrDecay: 0.01, initialAccumulatorValue: 0.1 })],
];

/** A small regression whose batches come from a generator: model, optimizer and generator are all its state. */
function makeRun(make: Make) {
  const generator = new Generator(1);
  const model = new Sequential(new Linear(6, 5, { generator }), new Linear(5, 2, { generator }));
  const optimizer = make(model.parameters());
  const steps = (n: number) => {
    for (let i = 0; i < n; i++) {
      tape(() => {
        const x = rand([8, 6], { generator });
        optimizer.zeroGrad();
        model
          .forward(x)
          .sub(x.slice(1, 0, 2))
          .square()
          .mean()
          .backward();
        optimizer.step();
      });
    }
  };
  const save = () => ({ model: model.stateDict(), optimizer: optimizer.stateDict(), generator: generator.getState() });
  const load = (state: ReturnType<typeof save>) => {
    model.loadStateDict(state.model);
    optimizer.loadStateDict(state.optimizer);
    generator.setState(state.generator);
  };
  return { model, optimizer, steps, save, load, weights: () => model.parameters().map(bits) };
}

describe.each(KINDS)("%s", (name, make) => {
  test(`${name}: training lowers the loss`, () => {
    const w = parameter(tensor([3, -2]));
    const optimizer = make([w]);
    const loss = () =>
      tape(() => {
        const value = w.square().sum();
        optimizer.zeroGrad();
        value.backward();
        optimizer.step();
        return value.item();
      });
    const first = loss();
    for (let i = 0; i < 200; i++) loss();
    expect(loss()).toBeLessThan(0.1 * first);
  });

  test(`${name}: a run that is resumed in another model gives the bits of the straight run`, () => {
    const straight = makeRun(make);
    straight.steps(7);
    const saved = straight.save();
    straight.steps(9);
    const resumed = makeRun(make);
    resumed.load(saved);
    resumed.steps(9);
    expect(resumed.weights()).toEqual(straight.weights());
    expect(resumed.save()).toEqual(straight.save());
  });

  test(`${name}: an earlier state, also that before the first step, can be loaded into the same optimizer`, () => {
    const run = makeRun(make);
    const start = run.save();
    run.steps(3);
    const third = run.save();
    run.steps(4);
    const expected = run.weights();
    run.load(third);
    run.steps(4);
    expect(run.weights()).toEqual(expected);
    run.load(start);
    run.steps(7);
    expect(run.weights()).toEqual(expected);
  });

  test(`${name}: the state is a copy that later steps do not change`, () => {
    const run = makeRun(make);
    run.steps(2);
    const state = run.optimizer.stateDict();
    const copy = structuredClone(state);
    run.steps(1);
    expect(state).toEqual(copy);
    expect(run.optimizer.stateDict()).not.toEqual(copy);
  });

  test(`${name}: a parameter without a gradient is left alone, with its state and its count of steps`, () => {
    const [used, unused] = [parameter(random([3], 2)), parameter(random([3], 3))];
    const before = bits(unused);
    const optimizer = make([used, unused]);
    tape(() => used.sum().backward());
    optimizer.step();
    expect(bits(unused)).toEqual(before);
    const { steps, slots } = optimizer.stateDict();
    expect(steps).toEqual([1, 0]);
    expect(slots[1]).toEqual({});
  });

  test(`${name}: steps allocate nothing after the first, and dispose gives the state back`, () => {
    const kept = bytesKept(() => {
      const w = parameter(random([100], 4));
      const optimizer = make([w]);
      const step = () => {
        tape(() => w.square().sum().backward());
        optimizer.step();
        optimizer.zeroGrad();
      };
      step();
      const more = bytesKept(() => {
        step();
        step();
      });
      expect(more).toBe(0);
      optimizer.dispose();
      w.dispose();
    });
    expect(kept).toBe(0);
  });
});

test("SGD: without momentum the weight moves by lr times the gradient", () => {
  const w = parameter(tensor([1, 2, 4]));
  const optimizer = new SGD([w], { lr: 0.25 });
  tape(() => w.square().sum().backward());
  optimizer.step();
  expect(values(w)).toEqual([0.5, 1, 2]);
});

test("optimizer: lr can be changed between steps", () => {
  const w = parameter(tensor([4]));
  const optimizer = new SGD([w], { lr: 0.25 });
  tape(() => w.sum().backward());
  optimizer.step();
  optimizer.lr = 1;
  optimizer.step();
  expect(values(w)).toEqual([4 - 0.25 - 1]);
});

test("optimizer: zeroGrad makes every gradient null", () => {
  const parameters = [parameter(tensor([1])), parameter(tensor([2]))];
  const optimizer = new SGD(parameters);
  tape(() =>
    parameters
      .reduce((sum, p) => sum.mul(p))
      .sum()
      .backward(),
  );
  optimizer.zeroGrad();
  expect(parameters.map(({ grad }) => grad)).toEqual([null, null]);
});

test("optimizer: the defaults are those of PyTorch, also where an option is undefined", () => {
  const p = parameter(tensor([1]));
  const unset = { lr: undefined, weightDecay: undefined } as object;
  const defaults: [make: (options?: object) => { options: object }, options: object][] = [
    [(options) => new SGD([p], options), { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 }],
    [(options) => new Adam([p], options), { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false }],
    [
      (options) => new AdamW([p], options),
      { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, amsgrad: false },
    ],
    [
      (options) => new RMSprop([p], options),
      { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false },
    ],
    [
      (options) => new Adagrad([p], options),
      { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
    ],
  ];
  for (const [make, options] of defaults) {
    expect(make().options).toEqual(options);
    expect(make(unset).options).toEqual(options);
  }
});

test("optimizer: options are the optimizer's own, and can be changed between steps", () => {
  const w = parameter(tensor([1]));
  const options = { betas: [0.5, 0.5] as [number, number] };
  const optimizer = new Adam([w], options);
  options.betas[0] = 2;
  expect(optimizer.options.betas).toEqual([0.5, 0.5]);
  const state = optimizer.stateDict();
  (state.options.betas as number[])[0] = 3;
  expect(optimizer.options.betas).toEqual([0.5, 0.5]);
  optimizer.lr = 0.25;
  expect(optimizer.options.lr).toBe(0.25);
  optimizer.options.lr = 0.5;
  expect(optimizer.lr).toBe(0.5);
});

test("AdamW: at a learning rate of 0 nothing moves and the decay stays out of the moments", () => {
  const w = parameter(tensor([4]));
  const optimizer = new AdamW([w], { lr: 0, weightDecay: 0.5 });
  tape(() => w.sum().backward());
  optimizer.step();
  expect(values(w)).toEqual([4]);
  expect(optimizer.stateDict().slots[0]?.m).toEqual(Float32Array.of(Math.fround(0.1)));
});

test("Adam: a β that a schedule changes corrects the bias of this step by its own power", () => {
  const w = parameter(tensor([0]));
  const optimizer = new Adam([w], { lr: 1, betas: [0.5, 0], eps: 0 });
  tape(() => w.sum().backward());
  optimizer.step();
  optimizer.options.betas = [0.25, 0];
  optimizer.step();
  // m: 0.5, then 0.25·0.5 + 0.75; divided by 1 − 0.25².
  expect(values(w)[0]).toBeCloseTo(-1 - 0.875 / (1 - 0.0625), 6);
});

test("SGD: momentum that is turned on later starts from the gradient of that step", () => {
  const w = parameter(tensor([0]));
  const optimizer = new SGD([w], { lr: 1, dampening: 0.5 });
  tape(() => w.sum().backward());
  optimizer.step();
  optimizer.options.momentum = 0.5;
  optimizer.step();
  expect(values(w)).toEqual([-2]);
  optimizer.step();
  expect(values(w)).toEqual([-3]);
  const saved = optimizer.stateDict();
  optimizer.step();
  const expected = values(w);
  optimizer.loadStateDict(saved);
  w.copyFrom([-3]);
  optimizer.step();
  expect(values(w)).toEqual(expected);
});

const NOT_FINITE = [Number.NaN, Infinity, -Infinity, -0.1];
const NOT_FRACTION = [Number.NaN, Infinity, -0.1, 1, 1.5];
type Option = [what: string, make: (p: Tensor, value: number) => unknown, wrong: number[]];

const OPTIONS: Option[] = [
  ["SGD: lr must be finite and ≥ 0", (p, lr) => new SGD([p], { lr }), NOT_FINITE],
  ["SGD: momentum must be finite and ≥ 0", (p, momentum) => new SGD([p], { momentum }), NOT_FINITE],
  ["SGD: weightDecay must be finite and ≥ 0", (p, weightDecay) => new SGD([p], { weightDecay }), NOT_FINITE],
  ["SGD: dampening must be finite and ≥ 0", (p, dampening) => new SGD([p], { dampening }), NOT_FINITE],
  ["Adam: lr must be finite and ≥ 0", (p, lr) => new Adam([p], { lr }), NOT_FINITE],
  ["Adam: eps must be finite and ≥ 0", (p, eps) => new Adam([p], { eps }), NOT_FINITE],
  ["Adam: weightDecay must be finite and ≥ 0", (p, weightDecay) => new Adam([p], { weightDecay }), NOT_FINITE],
  ["Adam: betas[0] must be in [0, 1)", (p, beta) => new Adam([p], { betas: [beta, 0.9] }), NOT_FRACTION],
  ["Adam: betas[1] must be in [0, 1)", (p, beta) => new Adam([p], { betas: [0.9, beta] }), NOT_FRACTION],
  ["AdamW: lr must be finite and ≥ 0", (p, lr) => new AdamW([p], { lr }), NOT_FINITE],
  ["AdamW: weightDecay must be finite and ≥ 0", (p, weightDecay) => new AdamW([p], { weightDecay }), NOT_FINITE],
  ["RMSprop: alpha must be finite and ≥ 0", (p, alpha) => new RMSprop([p], { alpha }), NOT_FINITE],
  ["RMSprop: momentum must be finite and ≥ 0", (p, momentum) => new RMSprop([p], { momentum }), NOT_FINITE],
  ["Adagrad: lr must be finite and ≥ 0", (p, lr) => new Adagrad([p], { lr }), NOT_FINITE],
  ["Adagrad: lrDecay must be finite and ≥ 0", (p, lrDecay) => new Adagrad([p], { lrDecay }), NOT_FINITE],
  [
    "Adagrad: initialAccumulatorValue must be finite and ≥ 0",
    (p, initialAccumulatorValue) => new Adagrad([p], { initialAccumulatorValue }),
    NOT_FINITE,
  ],
];

test.each(OPTIONS)("%s", (message, make, wrong) => {
  const p = parameter(tensor([1]));
  for (const value of wrong) {
    expect(() => make(p, value)).toThrow(RangeError);
    expect(() => make(p, value)).toThrow(`${message}, got ${value}`);
  }
});

test("optimizer: an option of another type, or an unknown one, is a TypeError", () => {
  const p = parameter(tensor([1]));
  const wrong: [options: object, message: string][] = [
    [{ lr: "0.1" }, 'Adam: expected lr of type number, got "0.1"'],
    [{ amsgrad: 1 }, "Adam: expected amsgrad of type boolean, got 1"],
    [{ betas: 0.9 }, "Adam: expected betas of type array, got 0.9"],
    [{ betas: null }, "Adam: expected betas of type array, got null"],
    [{ weight_decay: 0.1 }, "Adam: expected a known option, got weight_decay; did you mean weightDecay?"],
  ];
  for (const [options, message] of wrong) expect(() => new Adam([p], options)).toThrow(new TypeError(message));
  expect(() => new Adam([p], { betas: [0.9] as unknown as [number, number] })).toThrow(
    new RangeError("Adam: betas must have 2 entries, got 1"),
  );
});

test("SGD: Nesterov needs momentum and no dampening", () => {
  const p = parameter(tensor([1]));
  expect(() => new SGD([p], { nesterov: true })).toThrow(
    new RangeError("SGD: nesterov needs momentum > 0 and dampening 0, got [0, 0]"),
  );
  expect(() => new SGD([p], { nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow("got [0.9, 0.1]");
});

test("optimizer: it takes parameters only, and at least one", () => {
  for (const make of [SGD, Adam, AdamW, RMSprop, Adagrad]) {
    expect(() => new make([])).toThrow(new RangeError(`${make.name}: expected parameters, got none`));
    const wrong = () => new make([tensor([1], { requiresGrad: true })]);
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(`${make.name}: expected tensors made by parameter()`);
    const p = parameter(tensor([1]));
    expect(() => new make([p, p])).toThrow(
      new RangeError(`${make.name}: expected every parameter once, got one of shape [1] again`),
    );
    const module = () => new make(new Linear(1, 1) as unknown as Tensor[]);
    expect(module).toThrow(TypeError);
    expect(module).toThrow(`${make.name}: expected parameters, such as model.parameters(), got object`);
  }
});

test("state dict: what does not fit is named, and nothing is written", () => {
  const [a, b] = [parameter(random([3], 5)), parameter(random([2], 6))];
  const optimizer = new Adam([a, b]);
  tape(() => a.sum().add(b.sum()).backward());
  optimizer.step();
  const before = optimizer.stateDict();
  const { name, options, steps, slots } = structuredClone(before);
  const [first, second] = slots as [(typeof slots)[0], (typeof slots)[0]];
  const broken: [state: typeof before, message: string][] = [
    [{ name, options, steps: [1], slots: [first] }, "loadStateDict: steps must have 2 entries, got 1"],
    [{ name, options, steps: [1, 1, 1], slots: [first, second] }, "loadStateDict: steps must have 2 entries, got 3"],
    [
      {
        name,
        options,
        steps: [5, 5],
        slots: [
          { ...first, m: new Float32Array(3) },
          { ...second, v: new Float32Array(3) },
        ],
      },
      "loadStateDict: expected 2 values in v of parameter 1, got 3",
    ],
    [
      { name, options, steps: [5, 5], slots: [first, { momentum: new Float32Array(2) }] },
      'loadStateDict: expected ["m", "v"] for parameter 1, got ["momentum"]',
    ],
    [{ ...before, name: "AdamW" }, 'loadStateDict: expected the state of Adam, got "AdamW"'],
    [
      { name, options, steps: [5, 5], slots: [{}, second] },
      'loadStateDict: expected ["m", "v"] for parameter 0, got []',
    ],
  ];
  for (const [state, message] of broken) {
    expect(() => optimizer.loadStateDict(state)).toThrow(RangeError);
    expect(() => optimizer.loadStateDict(state)).toThrow(message);
    expect(optimizer.stateDict()).toEqual(before);
  }
  for (const wrong of [-1, 0.5, Number.NaN]) {
    const act = () => optimizer.loadStateDict({ name, options, steps: [wrong, steps[1] as number], slots });
    expect(act).toThrow(RangeError);
    expect(act).toThrow(`loadStateDict: steps[0] must be a count of steps, got ${wrong}`);
    expect(optimizer.stateDict()).toEqual(before);
  }
  const wrongOptions: [change: object, message: string][] = [
    [{ lr: Infinity }, "loadStateDict: lr must be finite, got Infinity"],
    [{ lr: "1" }, 'loadStateDict: expected lr of type number, got "1"'],
    [{ betas: [0.9, 1] }, "loadStateDict: betas[1] must be in [0, 1), got 1"],
    [{ eps: null }, "loadStateDict: expected eps of type number, got null"],
    [{ alpha: 0.9 }, "loadStateDict: expected the options lr, betas, eps, weightDecay, amsgrad, got alpha"],
  ];
  for (const [change, message] of wrongOptions) {
    const act = () => optimizer.loadStateDict({ name, options: { ...options, ...change }, steps: [5, 5], slots });
    expect(act).toThrow(message);
    expect(optimizer.stateDict()).toEqual(before);
  }
});

test("state dict: its options come with it, so that a resumed run goes on with the learning rate of the saved one", () => {
  const [w, other] = [parameter(random([3], 7)), parameter(random([3], 7))];
  const saved = new Adam([w], { lr: 0.25, betas: [0.5, 0.75], amsgrad: true, weightDecay: 0.1 });
  tape(() => w.square().sum().backward());
  saved.step();
  saved.lr = 0.125;
  const state = saved.stateDict();
  const resumed = new Adam([other]);
  resumed.loadStateDict({ ...state, options: JSON.parse(JSON.stringify(state.options)) });
  expect(resumed.options).toEqual(saved.options);
  expect(resumed.lr).toBe(0.125);
  expect(resumed.stateDict()).toEqual(state);
});

test("optimizer: once its state is freed, it starts as a new one does", () => {
  const p = parameter(tensor([1]));
  const optimizer = new Adam([p]);
  const fresh = optimizer.stateDict();
  tape(() => p.sum().backward());
  optimizer.step();
  expect(optimizer.stateDict().steps).toEqual([1]);
  optimizer.dispose();
  expect(optimizer.stateDict()).toEqual(fresh);
});

test("optimizer: a learning rate that is not finite is refused, and the old one stays", () => {
  const optimizer = new SGD([parameter(tensor([1]))], { lr: 0.5 });
  for (const lr of [NaN, Infinity]) {
    expect(() => {
      optimizer.lr = lr;
    }).toThrow(new RangeError(`Optimizer: lr must be finite, got ${lr}`));
    expect(optimizer.lr).toBe(0.5);
  }
});

test("state dict: what is none is an error in words, and nothing is written", () => {
  const p = parameter(random([3], 8));
  const optimizer = new Adam([p]);
  tape(() => p.square().sum().backward());
  optimizer.step();
  const state = optimizer.stateDict();
  const m = (values: unknown) => ({ ...state, slots: [{ ...state.slots[0], m: values }] });
  const wrong: [state: unknown, message: string][] = [
    [null, "loadStateDict: expected the state of an optimizer, got null"],
    [[state], "loadStateDict: expected the state of an optimizer, got [object]"],
    [{ ...state, options: null }, "loadStateDict: expected options, got null"],
    [{ ...state, options: { betas: ["0.9", null] } }, 'loadStateDict: expected betas[0] as a number, got "0.9"'],
    [{ ...state, steps: "1" }, 'loadStateDict: expected steps as a list of numbers, got "1"'],
    [{ ...state, steps: ["1"] }, 'loadStateDict: expected steps[0] as a number, got "1"'],
    [{ ...state, slots: { 0: state.slots[0] } }, "loadStateDict: expected slots as a list, got object"],
    [{ ...state, slots: [null] }, "loadStateDict: expected slots[0] as arrays by name, got null"],
    [{ ...state, slots: [] }, "loadStateDict: slots must have 1 entries, got 0"],
    [m(null), "loadStateDict: expected m as an array of numbers, got null"],
    [m("123"), 'loadStateDict: expected m as an array of numbers, got "123"'],
    [m([1, "2", 3]), 'loadStateDict: expected m as an array of numbers, got "2" at 1'],
    [m(new BigInt64Array(3)), "loadStateDict: expected m as an array of numbers, got 0n at 2"],
    [m([1, 2]), "loadStateDict: expected 3 values in m of parameter 0, got 2"],
  ];
  for (const [each, message] of wrong) {
    expect(() => optimizer.loadStateDict(each as typeof state)).toThrow(message);
    expect(optimizer.stateDict()).toEqual(state);
  }
});

test("state dict: what answers otherwise when it is read again is read once", () => {
  const p = parameter(random([4], 9));
  const optimizer = new SGD([p], { momentum: 0.9 });
  tape(() => p.sum().backward());
  optimizer.step();
  const state = optimizer.stateDict();
  const neighbours = Array.from({ length: 20 }, () => tensor(new Float32Array(64).fill(3)));
  let reads = 0;
  const momentum = Object.defineProperty({ ...new Float32Array(4096).fill(666) }, "length", {
    get: () => (reads++ === 0 ? 4 : 4096),
  });
  optimizer.loadStateDict({ ...state, slots: [{ momentum: momentum as unknown as Float32Array }] });
  expect(optimizer.stateDict().slots).toEqual([{ momentum: new Float32Array(4).fill(666) }]);
  for (const t of neighbours) expect(values(t)).toEqual(new Array(64).fill(3));
  const twice = (first: unknown, then: unknown) => {
    let count = 0;
    return { enumerable: true, get: () => (count++ === 0 ? first : then) };
  };
  const steps = Object.defineProperty([0], 0, twice(7, -1)) as number[];
  const options = Object.defineProperty({ ...state.options }, "lr", twice(0.5, "x"));
  optimizer.loadStateDict({ ...state, steps, options });
  expect(optimizer.stateDict()).toMatchObject({ steps: [7], options: { lr: 0.5 } });
});

test("optimizer: an option that was changed to what it cannot be stops the next step, and nothing is updated", () => {
  const [a, b] = [parameter(tensor([1])), parameter(tensor([2]))];
  tape(() => a.add(b).sum().backward());
  const adam = new Adam([a, b]);
  const sgd = new SGD([a, b], { momentum: 0.5, nesterov: true });
  const changes: [optimizer: Optimizer, change: object, message: string][] = [
    [adam, { betas: ["0.9", null] }, 'Adam: expected betas[0] as a number, got "0.9"'],
    [adam, { betas: null }, "Adam: expected betas of type array, got null"],
    [adam, { eps: Number.NaN }, "Adam: eps must be finite and ≥ 0, got NaN"],
    [adam, { lr: "0.1" }, 'Adam: expected lr of type number, got "0.1"'],
    [sgd, { momentum: 0 }, "SGD: nesterov needs momentum > 0 and dampening 0, got [0, 0]"],
    [sgd, { nesterov: 1 }, "SGD: expected nesterov of type boolean, got 1"],
  ];
  for (const [optimizer, change, message] of changes) {
    const before = { ...optimizer.options };
    Object.assign(optimizer.options, change);
    expect(() => optimizer.step()).toThrow(message);
    Object.assign(optimizer.options, before);
  }
  expect([...values(a), ...values(b)]).toEqual([1, 2]);
  expect([adam, sgd].map((optimizer) => optimizer.stateDict().steps)).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(() => Object.assign(adam.options.betas, [0.5])).toThrow(TypeError);
  adam.step();
  expect(values(a)[0]).toBeLessThan(1);
});

test("optimizer: inside of gradcheck no step is made, and the state stays where it is", () => {
  const w = parameter(tensor([1, 2]));
  const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
  tape(() => w.square().sum().backward());
  optimizer.step();
  const [before, state, input] = [bits(w), optimizer.stateDict(), tensor([1])];
  const act = () =>
    gradcheck(
      (x) => {
        expect(optimizer.stateDict()).toEqual(state);
        optimizer.dispose();
        optimizer.loadStateDict(state);
        expect(() => clipGradNorm(w, 1)).toThrow("clipGradNorm: expected gradients outside of gradcheck");
        optimizer.step();
        return x.mul(2);
      },
      [input],
    );
  expect(act).toThrow(new Error("SGD: expected step() outside of gradcheck"));
  expect(bits(w)).toEqual(before);
  expect(optimizer.stateDict()).toEqual(state);
  const kept = bytesKept(() => expect(act).toThrow());
  expect(kept).toBe(0);
  optimizer.step();
});

test("optimizer: freed parameters are refused, at first and at a step", () => {
  const [a, b] = [parameter(tensor([1])), parameter(tensor([2]))];
  const optimizer = new SGD([a, b], { lr: 1 });
  tape(() => a.add(b).sum().backward());
  a.dispose();
  expect(() => new SGD([a, b])).toThrow(/^SGD: the tensor \[1\] was freed/);
  optimizer.step();
  expect(values(b)).toEqual([1]);
});

test("optimizer: a source that never ends is refused at the first parameter that comes again", () => {
  const p = parameter(tensor([1]));
  function* same() {
    for (;;) yield p;
  }
  expect(() => new SGD(same())).toThrow(
    new RangeError("SGD: expected every parameter once, got one of shape [1] again"),
  );
});

test("optimizer: the state of one that was made in a tape which throws goes with it, else it stays", () => {
  const w = parameter(tensor([1, 2]));
  tape(() => w.square().sum().backward());
  let made: Optimizer | undefined;
  const fail = (fn: () => void) =>
    tape(() => {
      tape(fn);
      throw new Error("on purpose");
    });
  const kept = bytesKept(() => {
    expect(() =>
      fail(() => {
        made = new Adam([w]);
        made.step();
      }),
    ).toThrow("on purpose");
  });
  expect(kept).toBe(0);
  expect(made?.stateDict()).toEqual(new Adam([w]).stateDict());
  const outside = new Adam([w]);
  expect(() => fail(() => outside.step())).toThrow("on purpose");
  expect(outside.stateDict().steps).toEqual([1]);
  tape(() => {
    made = new Adam([w]);
    made.step();
  });
  expect(made?.stateDict().steps).toEqual([1]);
});
