/** What can be reached from arguments and results. */

import { Fused, Program } from "../../../engine/fuse/program.ts";
import { Term } from "../../../engine/fuse/terms.ts";
import { Tensor } from "../../../engine/index.ts";
import { Held } from "../../../engine/outside/held.ts";
import { RuleSweep } from "../../../snn/learning/sweep.ts";

type Fields = (object: object) => Iterable<unknown>;

/** Tensors in lists and plain objects. Getters stay unread: some count how often they are. */
export const givenIn = (value: unknown): Tensor[] =>
  everything(value, (object) => (isData(object) ? own(object) : [])).filter(isTensor);

/** Those in the fields of other objects too, and what they were made of. */
export const ownedBy = (value: unknown): Tensor[] => everything(value, ownOrSources).filter(isTensor);

/** Tensors in a result, those that a getter makes too. */
export const resultsIn = (value: unknown): Tensor[] =>
  everything(value, (object) => (isData(object) ? Object.values(object) : [])).filter(isTensor);

/** Frees tensors with what they were made of, layers, and what has a way of its own to be freed, with its parameters. */
export function release(value: unknown): void {
  const fieldsOf: Fields = (object) => {
    if ("region" in object) return sourcesOf(object as Tensor);
    return isOwner(object) ? [object.params] : Object.values(object);
  };
  for (const v of everything(value, fieldsOf)) if (isTensor(v) || isOwner(v)) v.dispose();
}

/** Frees what no tape frees: optimizers, loaders, streams, and memory that goes when its owner is collected as garbage. */
export function releaseOwners(value: unknown): void {
  for (const v of everything(value, ownOrSources)) {
    if (isOwner(v)) v.dispose();
    else if (v instanceof Held) v.release();
  }
}

/** Frees memory that goes when its owner is collected as garbage. */
export function releaseHeld(value: unknown): void {
  for (const v of everything(value, ownOrSources)) if (v instanceof Held) v.release();
}

/** Of many objects without tensors. */
const isProgram = (v: object): boolean => [Term, Program, Fused, RuleSweep].some((Kind) => v instanceof Kind);

/** Nothing that is deeper or larger holds tensors. */
const MOST = 1000;

function everything(value: unknown, fieldsOf: Fields): unknown[] {
  const found = new Set<unknown>([value]);
  for (const v of found) {
    if (found.size > MOST) break;
    if (typeof v !== "object" || v === null || ArrayBuffer.isView(v) || isProgram(v)) continue;
    try {
      for (const item of fieldsOf(v)) if (typeof item === "object" && item !== null) found.add(item);
    } catch {} // a getter that throws
  }
  return [...found];
}

/** Of tensors, those of other copies too, not what they are part of: that is everything. */
const ownOrSources: Fields = (object) => ("region" in object ? sourcesOf(object as Tensor) : own(object));

const isTensor = (v: unknown): v is Tensor => v instanceof Tensor;

interface Owner {
  dispose(): void;
  readonly params?: unknown;
}

/** A term of a step has no memory, and names of tensors that it does not have are errors. */
const isOwner = (v: unknown): v is Owner =>
  typeof v === "object" &&
  v !== null &&
  !isTensor(v) &&
  !(v instanceof Term) &&
  "dispose" in v &&
  typeof v.dispose === "function";

const isData = (object: object): boolean => Array.isArray(object) || Object.getPrototypeOf(object) === Object.prototype;

const sourcesOf = ({ a, b, c, base }: Tensor): unknown[] => [a, b, c, base];

/** The values of fields that are no getters, and an object that inherits as such. */
const own: Fields = (object) => {
  const values: unknown[] = [];
  for (const key of Reflect.ownKeys(object)) values.push(Object.getOwnPropertyDescriptor(object, key)?.value);
  const parent: unknown = Object.getPrototypeOf(object);
  return typeof parent === "object" && parent !== null && isData(parent) ? [...values, parent] : values;
};
