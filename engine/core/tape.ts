/**
 * The tape: records the ops of a function and owns the memory of everything that it allocates.
 *
 *   const loss = tape(() => {
 *     const loss = crossEntropy(model.forward(x), y);
 *     loss.backward();
 *     return loss;              // moved out; everything else is freed
 *   });
 */
import { heap, heapOf } from "./backend.ts";
import { isPlain, wrongType } from "./errors.ts";
import { holds, moveGradient, releaseGradient } from "./gradient.ts";
import type { MemoryStats } from "./memory.ts";
import { dropRecord, recycleSaved } from "./op.ts";
import { adopt, end, enter, freeBlock, leave, moveTo, type Region, root, type Scope, scope } from "./scope.ts";
import { alive, checkItself, checkOwn, copyOut, forms, rootOf, streamBytes, Tensor } from "./tensor.ts";

/**
 * Runs `fn` and records its ops for `backward`. All tensors made inside are freed when `fn` returns, except the tensors
 * it returns (also inside arrays and plain objects) or named to `keep`: these are detached and belong to the enclosing
 * tape or, outside all tapes, to the caller. If `fn` throws, memory and records are as before. Returns the result of `fn`.
 *
 * @throws TypeError if `fn` returns a promise or a generator: its work would outlive the tape.
 *
 * @example
 * ```ts
 * import { tape, tensor } from "jarvis-snn";
 *
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * const loss = tape(() => {
 *   const z = x.square().sum(); // freed when the tape ends
 *   z.backward();
 *   return z.item();
 * });
 * console.log(loss, x.grad?.toArray()); // 14 [ 2, 4, 6 ]
 * ```
 */
export function tape<R>(fn: () => R): R {
  return run("tape", true, fn, moveOut);
}

/**
 * Like {@link tape}, but nothing is recorded: results require no gradient. Tensors made inside are freed in the same
 * way. Returns the result of `fn`.
 *
 * @throws TypeError as {@link tape}.
 *
 * @example
 * ```ts
 * import { noGrad, tensor } from "jarvis-snn";
 *
 * const x = tensor([1, 2], { requiresGrad: true });
 * const z = noGrad(() => x.mul(2));
 * console.log(z.requiresGrad, z.toArray()); // false [ 2, 4 ]
 * ```
 */
export function noGrad<R>(fn: () => R): R {
  return run("noGrad", false, fn, moveOut);
}

/**
 * Calls fn outside of tapes and frees everything but the result. If the result is a view whose owner is freed, it
 * becomes a tensor of its own, else it remains a view.
 */
const atRoot = <R>(fn: () => R): R => run("atRoot", false, fn, handOut);

/** At most five arguments, since rest parameters would allocate an array at each call. */
type Fn = (a: never, b: never, c: never, d: never, e: never) => unknown;

const compose = (fn: Fn, a: never, b: never, c: never, d: never, e: never): unknown =>
  scope === root && !scope.recording ? apart(fn, a, b, c, d, e) : fn(a, b, c, d, e);

const apart = (fn: Fn, a: never, b: never, c: never, d: never, e: never): unknown => atRoot(() => fn(a, b, c, d, e));

/**
 * Calls fn(…args), a function that is made of ops but is not an op, such as a method. Its intermediate tensors are
 * freed by the tape, or outside of tapes when it returns. At most five arguments.
 */
export const composed = compose as <Args extends unknown[], Z>(fn: (...args: Args) => Z, ...args: Args) => Z;

/**
 * Makes an op from a function of ops, with at most five arguments. Outside of tapes its intermediate tensors are freed
 * at once.
 */
/* @__NO_SIDE_EFFECTS__ */
export function composedOp<F>(fn: F): F {
  // Without a bound on F, the compiler need not look up the methods of tensors, which include these ops.
  return ((a, b, c, d, e) => compose(fn as Fn, a, b, c, d, e)) as Fn as F;
}

/** Calls fn in a new scope; `release` moves each tensor of the result out of this scope. */
export function run<R>(where: string, recording: boolean, fn: () => R, release: Release): R {
  if (typeof fn !== "function") throw wrongType(where, "fn as a function", fn);
  const inner = enter(recording);
  try {
    const result = fn();
    checkSynchronous(where, result);
    for (const t of inner.kept) moveOut(t as Tensor, inner);
    releaseAll(result, inner, release);
    return result;
  } catch (error) {
    // Memory may not have sufficed to move everything out.
    for (const t of inner.moved) t.dispose();
    for (const t of inner.persisted) t.dispose();
    inner.persisted.length = 0;
    throw error;
  } finally {
    leave();
  }
}

/**
 * Keeps t when the current tape ends: t is detached and moves to the enclosing tape or to the caller. Returns t itself.
 *
 * @throws Error if t was freed.
 *
 * @example
 * ```ts
 * import { keep, type Tensor, tape, tensor } from "jarvis-snn";
 *
 * const kept: Tensor[] = [];
 * tape(() => {
 *   kept.push(keep(tensor([1, 2]).mul(3))); // all else is freed when the tape ends
 * });
 * console.log(kept[0]?.toArray()); // [ 3, 6 ]
 * ```
 */
export function keep<T extends Tensor>(t: T): T {
  alive(t, "keep");
  if (t.region === scope.region && scope !== root) scope.kept.push(t);
  return t;
}

/**
 * Frees memory and record of a tensor that the caller owns; a second call does nothing. Tensors of a tape are freed by
 * the tape.
 */
export function dispose(t: Tensor): void {
  const { region } = t;
  if (!region.open) return;
  checkOwn("dispose", t);
  releaseGradient(t);
  if (t.owned) {
    if (t.columns !== 0) forms.dropCopies(t);
    if (t.ptr !== 0) freeBlock(t.ptr, 4 * t.size);
    if (t.bits !== 0) freeBlock(t.bits, streamBytes(t.size));
  }
  recycleSaved(t, region);
  dropRecord(t, t.op === null ? t.state : "consumed");
  end(t);
}

/**
 * Bytes of linear memory: in use now, the most so far, and reserved.
 *
 * @example
 * ```ts
 * import { memoryStats, zeros } from "jarvis-snn";
 *
 * const before = memoryStats().live;
 * const x = zeros([1024]); // four bytes a value
 * console.log(memoryStats().live - before); // 4096
 * x.dispose();
 * console.log(memoryStats().live - before); // 0
 * ```
 */
export const memoryStats = (): MemoryStats => heap.stats();

/**
 * Resets the `peak` of {@link memoryStats} to the memory in use now.
 *
 * @example
 * ```ts
 * import { memoryStats, noGrad, resetPeak, zeros } from "jarvis-snn";
 *
 * const before = memoryStats().live;
 * resetPeak();
 * noGrad(() => zeros([1000]).sum().item());
 * console.log(memoryStats().peak - before >= 4000); // true
 * ```
 */
export const resetPeak = (): void => heap.resetPeak();

function checkSynchronous(where: string, result: unknown): void {
  if (typeof result !== "object" || result === null) return;
  const kind =
    typeof (result as { then?: unknown }).then === "function"
      ? "a promise"
      : typeof (result as { next?: unknown }).next === "function"
        ? "a generator"
        : "";
  if (kind !== "") throw new TypeError(`${where}: expected a synchronous function, got one that returns ${kind}`);
}

/** Moves a tensor out of the ending scope. */
type Release = (t: Tensor, inner: Scope) => void;

/** Moves the tensors in a returned value out of the ending scope. */
function releaseAll(result: unknown, inner: Scope, release: Release): void {
  if (typeof result !== "object" || result === null) return;
  if (result instanceof Tensor) return release(result, inner);
  const found = new Set<object>([result]);
  // The set grows during this loop; a value that contains itself is visited once.
  for (const value of found) {
    if (value instanceof Tensor) release(value, inner);
    else if (Array.isArray(value) || isPlain(value)) {
      for (const item of Object.values(value)) if (typeof item === "object" && item !== null) found.add(item);
    }
  }
}

/** Moves t out of the ending scope, unless t is older than the scope. */
export function moveOut(t: Tensor, inner: Scope): void {
  if (t.region !== inner.region) return checkItself("tape", t);
  checkOwn("tape", t);
  settle(t, (inner.parent as Scope).region);
  inner.moved.push(t);
  if (t.op === null && t.state !== "consumed") return;
  dropRecord(t, "returned");
  t.requiresGrad = false;
}

function handOut(t: Tensor, inner: Scope): void {
  const owner = rootOf(t);
  // A view of a tensor that moved earlier still points to the old memory.
  if (owner === t || owner.region === inner.region || inner.moved.includes(owner)) return moveOut(t, inner);
  const { region } = inner.parent as Scope;
  // An expansion may refer to the owner through a view; that view moves too.
  for (let x = t; x.base !== null; x = x.base) if (x.region === inner.region) moveTo(x, region);
}

/**
 * Gives t its own block in `region`; the gradient of a leaf moves too. Packed spikes that leave all tapes remain
 * packed.
 */
export function settle(t: Tensor, region: Region): void {
  const packed = t.ptr === 0 && t.base === null && region === root.region;
  if (t.ptr === 0 && !packed) forms.materialise(t);
  const leaves = region !== t.region;
  const gradient = leaves && holds(t) ? heap.allocate(4 * t.size) : 0;
  try {
    if (!t.owned) copyOut(t, packed);
  } catch (error) {
    if (gradient !== 0) heapOf(gradient).release(gradient, 4 * t.size);
    throw error;
  }
  adopt(t, region, packed ? t.bits : t.ptr, packed ? streamBytes(t.size) : 4 * t.size);
  if (leaves) moveGradient(t, gradient, region);
}
