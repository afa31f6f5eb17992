/**
 * The tape: records the ops of a function and owns the memory of everything that it allocates.
 *
 *   const loss = tape(() => {
 *     const loss = crossEntropy(model.forward(x), y);
 *     loss.backward();
 *     return loss;              // moved out; everything else is freed
 *   });
 */
import { functionOf, isPlain } from "./arguments.ts";
import { heap, heapOf, inReference } from "./backend.ts";
import { holds, moveGradient, releaseGradient } from "./gradient.ts";
import type { MemoryStats } from "./memory.ts";
import { dropRecord, recycleSaved } from "./record.ts";
import { adopt, end, enter, leave, moveTo, type Region, root, type Scope, scope } from "./scope.ts";
import { alive, checkOwn, copyOut, freeValues, materialise, rootOf, streamBytes, Tensor } from "./tensor.ts";

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
  functionOf("tape", "fn", fn);
  return run("tape", true, fn, moveOut);
}

/**
 * The memory rule of {@link tape}, but nothing is recorded: results require no gradient. Returns the result of `fn`.
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
  functionOf("noGrad", "fn", fn);
  return run("noGrad", false, fn, moveOut);
}

/**
 * The memory rule of {@link noGrad}, for callers that free the result by hand: tensors in the result that fn has made
 * go to `made`, older ones do not.
 */
export const noGradNoting = <R>(where: string, made: Tensor[], fn: () => R): R =>
  run(where, false, fn, (t, inner) => {
    if (t.region === inner.region) made.push(t);
    moveOut(t, inner);
  });

/**
 * fn() outside of all tapes: only its result is left. A result that is a view of a tensor that stays remains a view.
 */
export const atRoot = <R>(fn: () => R): R => run("atRoot", false, fn, handOut);

function run<R>(where: string, recording: boolean, fn: () => R, release: Release): R {
  const inner = enter(recording);
  try {
    const result = fn();
    checkSynchronous(where, result);
    for (const t of inner.kept) moveOut(t as Tensor, inner);
    releaseAll(result, inner, release);
    return result;
  } catch (error) {
    // There may have been no room for all that was to be moved out.
    for (const t of inner.moved) t.dispose();
    for (const t of inner.persisted) t.dispose();
    inner.persisted.length = 0;
    throw error;
  } finally {
    leave();
  }
}

/**
 * t outlives the current tape: when it ends, t moves, detached, to the enclosing tape or to the caller. Returns t itself.
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
  checkKnown(t);
  if (t.region === scope.region && scope !== root) scope.kept.push(t);
  return t;
}

/**
 * Makes t a parameter: a leaf that requires a gradient, in persistent memory wherever it was made, seen by Module.
 * Returns t itself. A parameter that was made in a tape which then throws is freed with it, a parameter that was made
 * inside of `gradcheck` at its end.
 *
 * @throws Error if t was freed.
 *
 * @example
 * ```ts
 * import { Module, parameter, type Tensor, tensor } from "jarvis-snn";
 *
 * class Scale extends Module {
 *   readonly factor = parameter(tensor([2]));
 *
 *   forward(x: Tensor): Tensor {
 *     return x.mul(this.factor);
 *   }
 * }
 * console.log(new Scale().namedParameters().map(([name]) => name)); // [ 'factor' ]
 * ```
 */
export function parameter<T extends Tensor>(t: T): T {
  persist(t);
  t.requiresGrad = true;
  t.isParameter = true;
  return t;
}

/**
 * Makes t a buffer: persistent like a parameter, a part of a Module's state, but not trained. Returns t itself.
 *
 * @throws as {@link persist}.
 */
export function buffer<T extends Tensor>(t: T): T {
  persist(t);
  t.isBuffer = true;
  return t;
}

/**
 * Moves t into persistent memory, where it stays until it is disposed, and detaches it. Returns t itself.
 *
 * @throws Error if t was freed, or lies outside of the `gradcheck` that runs, whose memory ends with it.
 */
export function persist<T extends Tensor>(t: T): T {
  alive(t, "parameter");
  checkOwn("parameter", t);
  const { region } = t;
  const moves = region.scope !== root || !t.owned;
  if (moves && inReference() && t.ptr > 0) {
    throw new Error("parameter: a tensor from outside of gradcheck cannot become persistent inside of it");
  }
  if (t.ptr === 0) materialise(t);
  if (moves) settle(t, root.region);
  if (region.scope !== root) region.scope.persisted.push(t);
  dropRecord(t, "none");
  t.requiresGrad = false;
  return t;
}

/**
 * Frees the memory of a tensor that the caller owns, and its record; again, it does nothing. Inside a tape there is
 * nothing to do: the tape frees.
 */
export function dispose(t: Tensor): void {
  const { region } = t;
  if (!region.open) return;
  checkOwn("dispose", t);
  releaseGradient(t);
  if (t.owned) freeValues(t);
  recycleSaved(t, region);
  dropRecord(t, t.op === null ? t.state : "consumed");
  end(t);
}

/**
 * How many bytes of linear memory are in use now, were at most, and are held.
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
 * Lets the `peak` of {@link memoryStats} start again from the memory in use now.
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
export function resetPeak(): void {
  heap.resetPeak();
}

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

/** Takes a tensor out of the scope that ends. */
type Release = (t: Tensor, inner: Scope) => void;

/** Takes the tensors in a returned value out of the scope that ends. */
function releaseAll(result: unknown, inner: Scope, release: Release): void {
  if (typeof result !== "object" || result === null) return;
  if (result instanceof Tensor) return release(result, inner);
  const found = new Set<object>([result]);
  // The set grows while it is read; a value that contains itself is read once.
  for (const value of found) {
    if (value instanceof Tensor) release(value, inner);
    else if (Array.isArray(value) || isPlain(value)) {
      for (const item of Object.values(value)) if (typeof item === "object" && item !== null) found.add(item);
    }
  }
}

function moveOut(t: Tensor, inner: Scope): void {
  if (t.region !== inner.region) return checkKnown(t);
  checkOwn("tape", t);
  settle(t, (inner.parent as Scope).region);
  inner.moved.push(t);
  if (t.op === null && t.state !== "consumed") return;
  dropRecord(t, "returned");
  t.requiresGrad = false;
}

/** Throws for a proxy whose fields are proxies too, as reactive states make them: its region is none of those that are open. */
function checkKnown({ region }: Tensor): void {
  if (!region.open) return;
  for (let s: Scope | null = root; s !== null; s = s.child) if (s.region === region) return;
  throw new TypeError("tape: expected a tensor, got a reactive proxy");
}

function handOut(t: Tensor, inner: Scope): void {
  const owner = rootOf(t);
  // A view of a tensor that has just moved still lies where that tensor was.
  if (owner === t || owner.region === inner.region || inner.moved.includes(owner)) return moveOut(t, inner);
  const { region } = inner.parent as Scope;
  // An expansion may look into the owner through a view, which stays with it.
  for (let x = t; x.base !== null; x = x.base) if (x.region === inner.region) moveTo(x, region);
}

/**
 * Gives t a block of its own that belongs to `region`; the gradient of a leaf moves with it. Spikes that leave all
 * tapes stay bits.
 */
function settle(t: Tensor, region: Region): void {
  const packed = t.ptr === 0 && t.base === null && region === root.region;
  if (t.ptr === 0 && !packed) materialise(t);
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
