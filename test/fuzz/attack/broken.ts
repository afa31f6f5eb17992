/** What the attack has to find: a defect of every kind, put into one function or class of those that the calls use. */
import { heap, inReference } from "../../../engine/core/backend.ts";
import { wasmHeap } from "../../../engine/core/memory.ts";
import { enter, leave, root } from "../../../engine/core/scope.ts";
import type * as all from "../../../engine/index.ts";
import { ones, Tensor } from "../../../engine/index.ts";
import type { Finding } from "./code.ts";

type Package = typeof all;

interface Broken {
  readonly kind: Finding["kind"];
  readonly target: keyof Package | `new ${keyof Package}`;
  /** What takes the place of some names. */
  put(names: Package): Partial<Package>;
}

/** That of tensors outside of all tapes, as long as no `gradcheck` runs. */
const OUTSIDE = root.region;

/** No thread wakes those who wait for it: a loop without an end takes no time of a core. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

const address = (x: Tensor, n: number): ArrayLike<number> & { fill(value: number): unknown } => heap.view(x.ptr, n);

export const BROKEN: { readonly [name: string]: Broken } = {
  "a list in itself ends the process": {
    kind: "crash",
    target: "tensor",
    put: ({ tensor }) => ({
      tensor: (data, options) => {
        if (Array.isArray(data) && data[0] === data) process.kill(process.pid, "SIGKILL");
        return tensor(data, options);
      },
    }),
  },
  "a loop without an end": {
    kind: "hang",
    target: "flip",
    put: ({ flip }) => ({
      flip: (x, axes) => {
        while (axes === 1.5) Atomics.wait(NEVER, 0, 0, 1000);
        return flip(x, axes);
      },
    }),
  },
  "a write into other tensors": {
    kind: "canary",
    target: "tril",
    put: ({ tril }) => ({
      tril: (x, diagonal) => {
        const z = tril(x, diagonal);
        if ((diagonal as number) > 2 ** 30) for (const p of [-256, 256]) heap.view(x.ptr + p, 32).fill(7);
        return z;
      },
    }),
  },
  "a float64 address that outlives gradcheck": {
    kind: "trap",
    target: "parameter",
    put: ({ parameter }) => ({
      parameter: (t) =>
        inReference() && t.ptr < 0 ? Object.assign(t, { isParameter: true, region: OUTSIDE }) : parameter(t),
    }),
  },
  "memory that is given back twice": {
    kind: "heap",
    target: "clone",
    put: ({ clone }) => ({
      clone: (x) => {
        const z = clone(x);
        if (x.isParameter) for (let i = 0; i < 2; i++) wasmHeap.release(wasmHeap.allocate(16) * 0 + 64, 16);
        return z;
      },
    }),
  },
  "a scope that stays open": {
    kind: "scope",
    target: "softplus",
    put: ({ softplus }) => ({
      softplus: (x, options) => {
        enter(true);
        softplus(x, options).dispose();
        leave();
        return softplus(x, options);
      },
    }),
  },
  "a write into the operand": {
    kind: "input",
    target: "neg",
    put: ({ neg }) => ({
      neg: (x) => {
        const z = neg(x);
        if (x.ptr > 0) address(x, 1).fill(9);
        return z;
      },
    }),
  },
  "memory of an op that fails": {
    kind: "leak",
    target: "softmax",
    put: ({ softmax }) => ({
      softmax: (x, axis) => {
        try {
          return softmax(x, axis);
        } catch (error) {
          wasmHeap.allocate(64);
          throw error;
        }
      },
    }),
  },
  "a layer in a tape that fails": {
    kind: "leak",
    target: "new Linear",
    put: ({ Linear }) => ({
      Linear: class extends Linear {
        private readonly p = wasmHeap.allocate(64);

        override dispose(): void {
          wasmHeap.release(this.p, 64);
          for (const t of this.parameters()) t.dispose();
        }
      },
    }),
  },
  "the address of a tensor of another copy": {
    kind: "foreign",
    target: "square",
    put: ({ square }) => ({
      square: (x) => square(x?.ptr > 0 && !(x instanceof Tensor) ? ones([1]) : x),
    }),
  },
  "a freed tensor": {
    kind: "freed",
    target: "cos",
    put: ({ cos }) => ({
      cos: (x) => cos(x instanceof Tensor && !x.region.open ? ones([1]) : x),
    }),
  },
  "indices that are read twice": {
    kind: "reread",
    target: "embedding",
    put: ({ embedding }) => ({
      embedding: (indices, weight, options) => {
        if (!Array.isArray(indices)) return embedding(indices, weight, options);
        const checked = [...indices];
        return embedding(
          [...indices].map((_, i) => checked[i]),
          weight,
          options,
        );
      },
    }),
  },
  "an option that is read twice": {
    kind: "reread",
    target: "layerNorm",
    put: ({ layerNorm }) => ({
      layerNorm: (x, shape, options) => {
        const checked = { ...options };
        return layerNorm(x, shape, { ...options, ...checked });
      },
    }),
  },
  "a shape that can be written to": {
    kind: "shape",
    target: "relu",
    put: ({ relu }) => ({
      relu: (x) => {
        const z = relu(x);
        return Object.defineProperty(z, "shape", { value: [...z.shape] });
      },
    }),
  },
  "an argument that nobody checks": {
    kind: "raw",
    target: "pad",
    put: ({ pad }) => ({
      pad: (x, padding, value) => pad(x, padding.length > 0 ? padding : [], value),
    }),
  },
  "an error that does not say where": {
    kind: "form",
    target: "sin",
    put: ({ sin }) => ({
      sin: (x) => {
        if (!(x instanceof Tensor)) throw new TypeError("expected a tensor");
        return sin(x);
      },
    }),
  },
  "a value of another kind": {
    kind: "accepted",
    target: "arange",
    put: ({ arange }) => ({
      arange: (start, end, step) => arange(typeof start === "number" ? start : 0, end, step),
    }),
  },
  "a call that ought to succeed": {
    kind: "plausible",
    target: "eye",
    put: () => ({
      eye: (n) => {
        throw new RangeError(`eye: expected another size, got ${String(n)}`);
      },
    }),
  },
};
