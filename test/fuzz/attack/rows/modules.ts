/** Data and layers of the engine. */
import type * as engine from "../../../../engine/index.ts";
import { bool, either, indices, list, must, nullable, num, oneOf, orNull, record, spare, t } from "../kinds.ts";
import { dataset, generator, model } from "../objects.ts";
import type { Classes } from "../typed.ts";
import { affine, axis, current, pooling, unary, window } from "./arguments.ts";

export const MODULES = {
  TensorDataset: {
    new: [
      either(t(4, 3), oneOf(["new Float32Array(12)", "new Uint8Array(12)"], ["typed"])),
      either(indices(3, 4), t(4, 2)),
      { shape: nullable(list(3)), scale: num(1, 0.5) },
    ],
    call: { batch: [either(list(0, 2), oneOf(["Int32Array.of(0, 2)"], ["typed"]))] },
  },
  DataLoader: {
    new: [dataset, { batchSize: must(num(1, 2, 3)), shuffle: bool, dropLast: bool, generator }],
    call: { dispose: [], "[Symbol.iterator]": [] },
  },
  Generator: {
    new: [num(0, 1)],
    call: {
      seed: [num(0, 1)],
      getState: [],
      setState: [record({ key: list(1, -2), block: num(0, 5) })],
      random: [],
      permutation: [num(0, 5)],
    },
  },
  Flatten: { new: [num(1), num(-1)], call: { forward: [t(2, 3, 2)] } },
  ReLU: { new: [], call: { forward: unary } },
  Sequential: {
    new: [oneOf(["new Linear(3, 4)"], [], model), oneOf(["new LIF()", "new Flatten(2)"], [], model)],
    call: { forward: [current] },
  },
  Conv1d: {
    new: [
      num(2),
      num(4),
      num(3, 2),
      { ...window, stride: num(1, 2), padding: num(0, 1), dilation: num(1, 2), bias: bool, generator },
    ],
    call: { forward: [t(2, 2, 6)] },
  },
  Conv2d: {
    new: [num(2), num(4), either(num(2), list(2, 1)), { ...window, bias: bool, generator }],
    call: { forward: [t(2, 2, 5, 5)] },
  },
  Dropout: {
    new: [num(0.5, 0), { generator, sharedAxes: spare(either(axis, list(0, 1))) }],
    call: { forward: unary },
  },
  Embedding: {
    new: [num(3), num(2), { paddingIdx: orNull(num(0, -1)), generator }],
    call: { forward: [indices(3, 4)] },
  },
  Linear: { new: [num(3), num(2), { bias: bool, generator }], call: { forward: [t(2, 3)] } },
  BatchNorm1d: {
    new: [num(3), { ...affine, momentum: orNull(num(0.1)), trackRunningStats: bool, axis: spare(num(1)) }],
    call: { forward: [t(4, 3)] },
  },
  BatchNorm2d: {
    new: [num(2), { ...affine, momentum: orNull(num(0.1)), trackRunningStats: bool }],
    call: { forward: [t(2, 2, 3, 3)] },
  },
  GroupNorm: { new: [num(1, 2), num(2), { ...affine, axis: spare(num(1)) }], call: { forward: [t(2, 2, 3, 3)] } },
  LayerNorm: { new: [either(num(3), list(3)), affine], call: { forward: [t(2, 3)] } },
  AvgPool2d: { new: [num(2), { ...pooling, countIncludePad: bool }], call: { forward: [t(2, 5, 5)] } },
  MaxPool2d: { new: [num(2), { ...pooling, dilation: num(1, 2) }], call: { forward: [t(2, 5, 5)] } },
} satisfies Partial<Classes<typeof engine>>;
