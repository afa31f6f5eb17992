/** Shapes changed by moving data: permute, slice, concat. */
import { k } from "../backend.ts";
import { apply, applyMany, gradOf, type Op, SAVES_NOTHING } from "../op.ts";
import { axisOf, formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { reshape, sliceRows, unsqueeze } from "./view.ts";

/** The result as four axes with their strides in the source. */
interface Strided {
  readonly shape: Shape;
  readonly sizes: readonly [number, number, number, number];
  readonly strides: readonly [number, number, number, number];
}

const permuteOp: Op<Strided> = {
  name: "permute",
  saves: SAVES_NOTHING,
  shape: ({ shape }) => shape,
  forward: (z, x, _y, _w, { sizes: [a, b, c, d], strides: [sa, sb, sc, sd] }) =>
    k.copyStrided(z.ptr, x.ptr, a, b, c, d, sa, sb, sc, sd),
  backward(z, x, _y, _w, { sizes: [a, b, c, d], strides: [sa, sb, sc, sd] }) {
    const dx = gradOf(x);
    if (dx !== 0) k.addStrided(dx, z.gradPtr, a, b, c, d, sa, sb, sc, sd);
  },
};

/** z[o, i, j] = x[o, start + i, j] */
interface Slice {
  readonly shape: Shape;
  readonly rows: number;
  readonly width: number;
  readonly offset: number;
  readonly step: number;
}

const sliceAxisOp: Op<Slice> = {
  name: "slice",
  saves: SAVES_NOTHING,
  shape: ({ shape }) => shape,
  forward: (z, x, _y, _w, { rows, width, offset, step }) =>
    k.copyBlocks(z.ptr, x.ptr + 4 * offset, rows, width, width, step),
  backward(z, x, _y, _w, { rows, width, offset, step }) {
    const dx = gradOf(x);
    if (dx !== 0) k.addBlocks(dx + 4 * offset, z.gradPtr, rows, width, step, width);
  },
};

interface Concat {
  readonly inputs: readonly Tensor[];
  readonly shape: Shape;
  /** Blocks before the axis, and elements of one block in the result. */
  readonly outer: number;
  readonly step: number;
}

const concatOp: Op<Concat> = {
  name: "concat",
  saves: SAVES_NOTHING,
  shape: ({ shape }) => shape,
  forward(z, _x, _y, _w, { inputs, outer, step }) {
    let at = z.ptr;
    for (const x of inputs) {
      const width = x.size / outer;
      k.copyBlocks(at, x.ptr, outer, width, step, width);
      at += 4 * width;
    }
  },
  backward(z, _x, _y, _w, { inputs, outer, step }) {
    let at = z.gradPtr;
    for (const x of inputs) {
      const width = x.size / outer;
      const dx = gradOf(x);
      if (dx !== 0) k.addBlocks(dx, at, outer, width, width, step);
      at += 4 * width;
    }
  },
};

/**
 * The axes in the given order; a copy.
 *
 * @throws RangeError unless `axes` names every axis once.
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const order = axes.map((axis) => axisOf("permute", axis, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new RangeError(`permute: expected every axis of ${formatShape(x.shape)} once, got [${axes.join(", ")}]`);
  }
  const strides = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
  const shape = order.map((axis) => x.shape[axis] as number);
  return (
    fourAxes(
      x,
      shape,
      order.map((axis) => strides[axis] as number),
    ) ?? oneByOne(x, order)
  );
}

/** Brings one axis after the other into its place: what lies before, between and behind makes four axes with it. */
function oneByOne(x: Tensor, order: readonly number[]): Tensor {
  let z = x;
  const now = x.shape.map((_, axis) => axis);
  order.forEach((axis, to) => {
    const from = now.indexOf(axis);
    const step = now.map((_, i) => (i < to || i > from ? i : i === to ? from : i - 1));
    if (from !== to) z = permute(z, step);
    now.splice(to, 0, ...now.splice(from, 1));
  });
  return z;
}

/** Merges neighbouring axes that are contiguous in the source; null where more than four are left. */
function fourAxes(x: Tensor, shape: number[], strides: number[]): Tensor | null {
  const sizes: number[] = [];
  const steps: number[] = [];
  shape.forEach((n, axis) => {
    const last = steps.length - 1;
    const step = strides[axis] as number;
    if (n === 1) return;
    if (last >= 0 && steps[last] === n * step) {
      sizes[last] = (sizes[last] as number) * n;
      steps[last] = step;
    } else {
      sizes.push(n);
      steps.push(step);
    }
  });
  if (sizes.length > 4) return null;
  while (sizes.length < 4) {
    sizes.unshift(1);
    steps.unshift(0);
  }
  type Four = [number, number, number, number];
  return apply(permuteOp, { shape, sizes: sizes as Four, strides: steps as Four }, x);
}

/** Axes a and b exchanged; a copy. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const p = axisOf("transpose", a, x.ndim);
  const q = axisOf("transpose", b, x.ndim);
  const axes = x.shape.map((_, axis) => (axis === p ? q : axis === q ? p : axis));
  return permute(x, axes);
}

/**
 * Elements start … end − 1 along an axis; negative bounds count from the end, bounds beyond the ends are clipped.
 * A view along the first axis, a copy along others.
 *
 * @throws RangeError if nothing is left.
 */
export function slice(x: Tensor, axis: number, start = 0, end = Infinity): Tensor {
  const at = axisOf("slice", axis, x.ndim);
  const n = x.shape[at] as number;
  const from = Math.max(start < 0 ? start + n : start, 0);
  const to = Math.min(end < 0 ? end + n : end, n);
  if (!(Number.isInteger(from) && Number.isInteger(to))) {
    throw new RangeError(`slice: expected integer bounds, got ${start} and ${end}`);
  }
  if (from >= to) {
    throw new RangeError(
      `slice: expected start < end on axis ${at} of ${formatShape(x.shape)}, got ${start} and ${end}`,
    );
  }
  if (at === 0) return sliceRows(x, from, to);
  const inner = sizeOf(x.shape.slice(at + 1));
  const shape = x.shape.map((size, i) => (i === at ? to - from : size));
  const rows = sizeOf(x.shape.slice(0, at));
  return apply(sliceAxisOp, { shape, rows, width: (to - from) * inner, offset: from * inner, step: n * inner }, x);
}

/** Element `index` along an axis, which is dropped. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const at = axisOf("select", axis, x.ndim);
  const n = x.shape[at] as number;
  const i = index < 0 ? index + n : index;
  if (!Number.isInteger(i) || i < 0 || i >= n) {
    throw new RangeError(`select: expected an index in [${-n}, ${n - 1}], got ${index}`);
  }
  return reshape(
    slice(x, at, i, i + 1),
    x.shape.filter((_, a) => a !== at),
  );
}

/** The slices along an axis, without it. */
export function unbind(x: Tensor, axis = 0): Tensor[] {
  const n = x.shape[axisOf("unbind", axis, x.ndim)] as number;
  return Array.from({ length: n }, (_, i) => select(x, axis, i));
}

/**
 * The tensors one after the other along an axis.
 *
 * @throws RangeError if the list is empty or other axes differ.
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = tensors[0];
  if (first === undefined) throw new RangeError("concat: expected at least one tensor, got none");
  const at = axisOf("concat", axis, first.ndim);
  let total = 0;
  for (const t of tensors) {
    const expected = first.shape.map((n, i) => (i === at ? t.shape[at] : n)) as number[];
    if (!sameShape(t.shape, expected)) {
      throw new RangeError(
        `concat: shapes differ beside axis ${axis}, got ${formatShape(first.shape)} and ${formatShape(t.shape)}`,
      );
    }
    total += t.shape[at] as number;
  }
  const shape = first.shape.map((n, i) => (i === at ? total : n));
  const outer = sizeOf(shape.slice(0, at));
  return applyMany(concatOp, { inputs: [...tensors], shape, outer, step: sizeOf(shape) / outer });
}

/**
 * The tensors, all of one shape, along a new axis.
 *
 * @throws RangeError if the list is empty or shapes differ.
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = tensors[0];
  if (first === undefined) throw new RangeError("stack: expected at least one tensor, got none");
  const at = axisOf("stack", axis, first.ndim + 1);
  for (const { shape } of tensors) {
    if (sameShape(shape, first.shape)) continue;
    throw new RangeError(
      `stack: expected tensors of one shape, got ${formatShape(first.shape)} and ${formatShape(shape)}`,
    );
  }
  return concat(
    tensors.map((t) => unsqueeze(t, at)),
    at,
  );
}
