/** A stream beside `forward` of the same network. */
import { expect } from "vitest";
import { Generator, Linear, type Module, rand, Sequential, type Tensor, tape } from "../../index.ts";
import { Stream } from "../../snn/index.ts";
import { bits } from "./tensors.ts";

export const T = 12;

export const generator = () => new Generator(3);

export const linear = (from: number, to: number) => new Linear(from, to, { generator: generator() });

/** The output of the network for a sequence at once, and the outputs of a stream for it step by step, twice. */
export function both(network: Sequential, x: Tensor): { forward: number[]; streamed: number[][] } {
  return tape(() => {
    const stream = new Stream(network, x.shape.slice(1));
    const inputs = x.unbind(0).map((t) => t.toFloat32Array());
    const run = () => inputs.flatMap((input) => bitsOf(stream.step(input)));
    const streamed = [run()];
    stream.reset();
    streamed.push(run());
    stream.dispose();
    return { forward: bits(network.forward(x)), streamed };
  });
}

export const bitsOf = (values: Float32Array): number[] => Array.from(new Uint32Array(values.slice().buffer));

export function expectSame(layers: Module[], shape: number[], low = 0, high = 1): void {
  const network = new Sequential(...layers).eval();
  const x = rand([T, ...shape], { generator: generator() })
    .mul(high - low)
    .add(low);
  const { forward, streamed } = both(network, x);
  expect(new Set(forward).size).toBeGreaterThan(1);
  for (const outputs of streamed) expect(outputs).toEqual(forward);
}
