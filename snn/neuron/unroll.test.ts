/** How long outputs of `unroll` can be read, and which remain in memory. */
import { expect, test } from "vitest";
import { full, Linear, noGrad, parameter, Sequential, Tensor, tape } from "../../engine/index.ts";
import { bits, bytesKept, leaf, random } from "../../test/support/tensors.ts";
import type { LIFRecord, RecurrentLIFState } from "../index.ts";
import {
  AdaptiveLIF,
  LeakyIntegrator,
  LIF,
  Recurrent,
  RecurrentLIF,
  SpikingLSTM,
  Synaptic,
  TsodyksMarkram,
} from "../index.ts";

const T = 4;
const shape = [T, 2, 3];
const neurons = {
  plain: () => new LIF({ threshold: 0.3 }),
  refractory: () => new LIF({ threshold: 0.3, refractorySteps: 1 }),
  recurrent: () => new RecurrentLIF({ features: 3, threshold: 0.3, refractorySteps: 1 }),
};

test.each(Object.entries(neurons))("unroll: of %s neurons, the state after a backward pass", (_name, make) => {
  const lif = make();
  const x = leaf(shape, 1);
  const expected = noGrad(() => lif.unroll(x).state);
  const early = tape(() => {
    const record = lif.unroll(x.mul(1));
    const { state } = record;
    record.spikes.sum().backward();
    return state;
  });
  const late = tape(() => {
    const record = lif.unroll(x.mul(1));
    record.spikes.sum().backward();
    return record.state;
  });
  for (const name of ["v", "refractory"] as const) {
    expect(bits(early[name])).toEqual(bits(expected[name]));
    expect(bits(late[name])).toEqual(bits(expected[name]));
  }
});

test.each(Object.entries(neurons))("unroll: %s neurons go on, step by step, after a backward pass", (_name, make) => {
  const lif = make();
  const layer = new Linear(3, 3);
  const x = random(shape, 1);
  const expected = noGrad(() => bits(lif.forward(layer.forward(x))));
  let state = lif.initialState([2, 3]);
  const found = x.unbind(0).flatMap((input) => {
    const [spikes, next] = tape(() => {
      const [spikes, next] = lif.step(layer.forward(input), state as never);
      spikes.sum().backward();
      return [spikes, next];
    });
    state = next;
    return bits(spikes);
  });
  expect(found).toEqual(expected);
});

/** The spikes that recurrent neurons are fed back. */
const others = ({ state }: LIFRecord): Tensor[] => ("spikes" in state ? [(state as RecurrentLIFState).spikes] : []);

test.each(Object.entries(neurons))("unroll: all that a tape returns of %s neurons", (_name, make) => {
  const lif = make();
  const x = random(shape, 1);
  const expected = tape(() => {
    const { spikes, membrane, v, state } = lif.unroll(x);
    return [spikes, membrane, v, state.v, state.refractory].map(bits);
  });
  const kept = bytesKept(() => {
    const record = tape(() => lif.unroll(x));
    const all = [record.spikes, record.membrane, record.v, record.state.v, record.state.refractory, ...others(record)];
    expect(all.slice(0, 5).map(bits)).toEqual(expected);
    for (const t of all) t.dispose();
  });
  expect(kept).toBe(0);
});

test("unroll: outside of tapes all outputs are the caller's, who may free them in any order", () => {
  for (const make of [neurons.plain, neurons.refractory]) {
    const [lif, x] = [make(), leaf(shape, 1)];
    const kept = bytesKept(() => {
      const record = lif.unroll(x);
      const outputs = [record.membrane, record.v, record.state.v, record.state.refractory];
      const before = outputs.map(bits);
      record.spikes.dispose();
      expect(outputs.map(bits)).toEqual(before);
      for (const t of outputs) t.dispose();
    });
    expect(kept).toBe(0);
  }
});

test("unroll: a state that is written or freed before backward is an error", () => {
  for (const lif of [new LIF({ beta: 0.5, learnBeta: true }), new LIF({ beta: 0.5, refractorySteps: 1 })]) {
    const write = () =>
      tape(() => {
        const state = lif.initialState([1, 1]);
        const { spikes } = lif.unroll(full([1, 1, 1], 0.7, { requiresGrad: true }), state);
        state.v.copyFrom([50]);
        spikes.sum().backward();
      });
    expect(write).toThrow(/^backward of LIF: a value it needs, of shape \[1, 1\], was overwritten/);
    tape(() => {
      const state = lif.initialState([1, 1]);
      const { spikes } = lif.unroll(full([1, 1, 1], 0.7, { requiresGrad: true }), state);
      const loss = spikes.sum();
      state.v.dispose();
      expect(() => loss.backward()).toThrow(/^backward of LIF: the tensor \[1, 1\] was freed/);
    });
  }
});

test.each(Object.entries(neurons))(
  "unroll: what it gives of %s neurons outside of tapes stays as it is",
  (_name, make) => {
    const lif = make();
    const x = random(shape, 1);
    const expected = noGrad(() => lif.unroll(x).state);
    const record = lif.unroll(x);
    noGrad(() => full([1000], 7).add(1)); // where the ops of unroll had their memory
    for (const name of ["v", "refractory"] as const) expect(bits(record.state[name])).toEqual(bits(expected[name]));
    record.v.dispose();
    expect(bits(record.state.v)).toEqual(bits(expected.v));
  },
);

/** The outputs of unroll of a layer, over time and last states, by name. */
function outputsOf(layer: Unrolling, x: Tensor): Map<string, () => Tensor> {
  const given = layer.unroll(x) as Readonly<Record<string, unknown>>;
  const names = Object.keys(given).filter((name) => name !== "state");
  const states = given.state instanceof Tensor ? [] : Object.keys(given.state as object);
  return new Map<string, () => Tensor>([
    ...names.map((name): [string, () => Tensor] => [name, () => given[name] as Tensor]),
    ...states.map((name): [string, () => Tensor] => [
      `state.${name}`,
      () => (given.state as Readonly<Record<string, Tensor>>)[name] as Tensor,
    ]),
  ]);
}

interface Unrolling {
  unroll(x: Tensor): object;
}

/** Layers whose outputs are of one op. */
const fused: Record<string, () => Unrolling> = {
  ...neurons,
  AdaptiveLIF: () => new AdaptiveLIF({ threshold: 0.3 }),
  Synaptic: () => new Synaptic({ threshold: 0.3 }),
  TsodyksMarkram: () => new TsodyksMarkram(),
  "Recurrent one": () => new Recurrent(new AdaptiveLIF({ threshold: 0.3 }), { features: 3, connection: "one" }),
  "Recurrent all": () => new Recurrent(new AdaptiveLIF({ threshold: 0.3 }), { features: 3 }),
};

/** Layers whose outputs are of several ops, of which some read others. */
const composed: Record<string, () => Unrolling> = {
  LeakyIntegrator: () => new LeakyIntegrator(),
  "Recurrent module": () =>
    new Recurrent(new LIF({ threshold: 0.3 }), { connection: new Sequential(new Linear(3, 3)) }),
  SpikingLSTM: () => new SpikingLSTM(3, 3),
};

/** For each two outputs of a layer: the second has the gradient of x that it has without `end` of the first, or refuses backward. */
function expectNoLoss(layer: Unrolling, end: (t: Tensor) => unknown): { refused: number } {
  const gradientOf = (read: string, gone: string | null): string => {
    const x = leaf(shape, 3, { low: 0, high: 1 });
    tape(() => {
      const outputs = outputsOf(layer, x);
      const z = (outputs.get(read) as () => Tensor)();
      if (gone !== null) end((outputs.get(gone) as () => Tensor)());
      if (z.requiresGrad) z.sum().backward();
    });
    return bits(x.grad ?? x.mul(0)).join();
  };
  const names = [...outputsOf(layer, random(shape, 3)).keys()];
  let refused = 0;
  for (const read of names) {
    const expected = gradientOf(read, null);
    for (const gone of names) {
      if (gone === read) continue;
      try {
        expect(gradientOf(read, gone), `${read} without ${gone}`).toBe(expected);
      } catch (error) {
        if (!/^backward: /.test((error as Error).message)) throw error;
        refused++;
      }
    }
  }
  return { refused };
}

test.each(Object.entries(fused))(
  "unroll: %s loses no gradient in silence where its first output goes",
  (_name, make) => {
    expect(expectNoLoss(make(), (t) => t.dispose()).refused).toBeGreaterThan(0);
    expect(expectNoLoss(make(), parameter).refused).toBeGreaterThan(0);
  },
);

test.each(Object.entries(composed))(
  "unroll: %s loses no gradient in silence where another output goes",
  (_name, make) => {
    expectNoLoss(make(), (t) => t.dispose());
  },
);

test("unroll: an output that is first read after the main one was disposed of refuses backward too", () => {
  const x = leaf(shape, 3);
  tape(() => {
    const outputs = new AdaptiveLIF({ threshold: 0.3 }).unroll(x);
    outputs.spikes.dispose();
    const { membrane } = outputs;
    expect(() => membrane.sum().backward()).toThrow(/^backward: .* the first output of its op was disposed/);
  });
  expect(x.grad).toBe(null);
});
