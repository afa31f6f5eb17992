/** Everything that is called, from the tables. */
import { Tensor } from "../../../engine/index.ts";
import { ops } from "../../../engine/ops/index.ts";
import { AUDIO } from "./audio.ts";
import { anyTensor, type Kind, kindOf, type Spec, t } from "./kinds.ts";
import { NETWORKS, NIR } from "./nir.ts";
import { BASES, CLASSES, ENGINE, EVENTS, KERNELS, NODE, QUANTIZE, SETTERS, SNN, SURROGATES, TENSOR } from "./rows.ts";
import type { ClassRow } from "./typed.ts";

/** How a target is called. */
export interface Target {
  /** Of a method, the first `made` arguments are those of the constructor; of a member, the first one is the object. */
  readonly form: "function" | "new" | "method" | "member" | "get" | "set";
  readonly name: string;
  readonly of: string;
  readonly made: number;
  readonly kinds: readonly Kind[];
}

/** Whether the first argument is an object that has what is called. */
export const isMember = ({ form }: Target): boolean => form === "member" || form === "get" || form === "set";

/** Everything that is called, by a name for people. */
export const TARGETS: ReadonlyMap<string, Target> = new Map(allTargets());

function* allTargets(): Iterable<[string, Target]> {
  const target = (form: Target["form"], name: string, specs: readonly Spec[], of = "", made = 0): Target => {
    return { form, name, of, made, kinds: specs.map(kindOf) };
  };
  const functions = { ...ENGINE, ...SNN, ...QUANTIZE, ...NODE, ...KERNELS, ...NIR, ...AUDIO };
  for (const [name, specs] of Object.entries(functions) as Entries) {
    yield [name, target("function", name, specs)];
    if (name in ops && name in Tensor.prototype && name !== "where")
      yield [`Tensor#${name}`, target("member", name, specs, "Tensor")];
  }
  // Names of theirs are names of the engine too.
  for (const [name, specs] of Object.entries(EVENTS) as Entries) {
    yield [`events.${name}`, target("function", `events.${name}`, specs)];
  }
  for (const [name, specs] of Object.entries(SURROGATES) as Entries) {
    yield [`surrogate.${name}`, target("function", `surrogate.${name}`, specs)];
  }
  for (const [name, row] of Object.entries(CLASSES) as [string, ClassRow<readonly Spec[], object>][]) {
    const { new: specs, call } = row as { new: readonly Spec[]; call: object };
    yield [`new ${name}`, target("new", name, specs, name)];
    for (const [method, more] of Object.entries(call) as Entries) {
      yield [`${name}#${method}`, target("method", method, [...specs, ...more], name, specs.length)];
    }
  }
  for (const [name, specs] of Object.entries(TENSOR) as Entries)
    yield [`Tensor#${name}`, target("member", name, specs, "Tensor")];
  for (const [base, { object, ...table }] of Object.entries({ ...BASES, ...NETWORKS })) {
    for (const [name, specs] of Object.entries(table) as Entries) {
      yield [`${base}#${name}`, target("member", name, [object, ...specs], base)];
    }
  }
  for (const [name, specs] of Object.entries(SETTERS)) yield [`set ${name}`, target("set", name, specs)];
  yield ["get data", target("get", "data", [t(2, 3)])];
  yield ["get grad", target("get", "grad", [anyTensor])];
}

type Entries = [string, readonly Spec[]][];
