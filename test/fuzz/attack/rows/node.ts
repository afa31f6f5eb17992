/** Functions of `jarvis-snn/node`, and of raw memory. */
import type * as kernels from "../../../../engine/kernels.ts";
import type * as node from "../../../../engine/node.ts";
import { fn, must, num, oneOf, record } from "../kinds.ts";
import { path, run } from "../objects.ts";
import type { Rows } from "../typed.ts";

export const NODE: Rows<typeof node> = {
  readIdx: [path("idx('a.idx')")],
  saveCheckpoint: [path("'a.safetensors'", "checkpoint('b.safetensors')"), record({ ...run, epoch: num(0, 3) })],
  resumeCheckpoint: [path("checkpoint('c.safetensors')"), record(run)],
  progressBar: [
    {
      label: oneOf(['"images"'], ["string"]),
      intervalMs: num(0, 100),
      stream: oneOf(["{ isTTY: true, columns: 40, write() {} }"], ["object"]),
      clock: fn("() => 0"),
    },
  ],
};

/** An address in a descriptor, which nothing follows before a kernel runs. */
const word = num(0, 64);

/** Not the kernels: they trust their caller. An address that was not lent is nothing that `free` could notice. */
export const KERNELS: Rows<typeof kernels> = {
  alloc: [num(16, 100)],
  free: [oneOf(["alloc(16)"], ["number"], { numbers: [] }), oneOf(["16"], ["number"], { numbers: [] })],
  lifDescriptor: [
    oneOf(["alloc(LIF_DESCRIPTOR_BYTES)"], ["number"], { numbers: [] }),
    {
      ...{ T: must(num(3)), rows: must(num(1, 2)), n: must(num(4)), beta: must(num(64)), u: must(num(128)) },
      ...{
        stepBeta: num(0, 1),
        threshold: num(0, 64),
        stepThreshold: num(0, 1),
        reset: num(0, 1, 2),
        delayed: num(0, 1),
      },
      ...{
        strict: num(0, 1),
        stepU: num(0, 8),
        from: word,
        resetValue: num(0, -0.5),
        current: word,
        stepCurrent: num(0, 8),
      },
      ...{
        spikes: word,
        v: word,
        last: word,
        kind: num(0, 3),
        slope: num(1, 5),
        dSpikes: word,
        stepDSpikes: num(0, 8),
      },
      ...{ dMembrane: word, stepDMembrane: num(0, 8), dV: word, stepDV: num(0, 8), dLast: word, dU: word },
      ...{ stepDU: num(0, 8), dSum: word, dFrom: word, stepAll: word, product: word },
    },
  ],
  productDescriptor: [
    oneOf(["alloc(PRODUCT_DESCRIPTOR_BYTES)"], ["number"], { numbers: [] }),
    {
      ...{ c: must(num(64)), m: must(num(3)), n: must(num(1, 2)), k: must(num(4)), a: must(num(0, 64)) },
      ...{ init: word, aRow: num(4), aCol: num(1), b: word, bRow: num(2), bCol: num(1), cRow: num(2), cCol: num(1) },
      ...{ rows: word, cols: word, bits: word, count: num(0, 3), work: word },
    },
  ],
};
