/** Types of tables that say what can be called with what: all that is public is in them. */
import type * as engine from "../../../engine/index.ts";
import type * as snn from "../../../snn/index.ts";
import type { Kind, Spec } from "./kinds.ts";

type AnyFunction = (...args: never[]) => unknown;
type AnyClass = abstract new (...args: never[]) => unknown;

/** Options stand by their names, all of them. */
type SpecOf<T> = Kind | (T extends object ? { readonly [Name in keyof T]-?: Spec } : never);
type Specs<Args extends readonly unknown[]> = { readonly [I in keyof Args]-?: SpecOf<Args[I]> };
export type Rows<Table> = {
  readonly [Name in keyof Table as Table[Name] extends AnyFunction ? Name : never]: Table[Name] extends AnyFunction
    ? Specs<Parameters<Table[Name]>>
    : never;
};

/** Not public, though a type has them. */
export type Internal =
  | "moveGrad"
  | "releaseGrad"
  | "gradTensor"
  | "saved"
  | "savedBytes"
  | "parts"
  | "held"
  | "leaf"
  | "sizes"
  | "forwardOver"
  | "stage"
  | "compiled"
  | "completed"
  | "parametersNow"
  | "useStep"
  | "loadingOf"
  | "forgetSteps"
  | "givenParameters"
  | "loopOf"
  | "parameterAt"
  | "checkNeurons"
  | "checkParameter"
  | "checkRivals"
  | "checkHeld"
  | "read"
  | "plainNow"
  | "onRecord"
  | "statesAtStart"
  | "startTerms"
  | "namedState"
  | "take"
  | "bernoulli"
  | "ptr"
  | "bits"
  | "region"
  | "owned"
  | "op"
  | "attrs"
  | "a"
  | "b"
  | "c"
  | "state"
  | "base"
  | "born"
  | "written"
  | "gradPtr"
  | "gradForm"
  | "self"
  | "gradBuffer"
  | "columns"
  | "outputShape"
  | "run";
type Base<T> = T extends engine.Module
  ? Exclude<keyof engine.Module, "forward">
  : T extends engine.Optimizer
    ? keyof engine.Optimizer
    : T extends engine.Scheduler
      ? keyof engine.Scheduler
      : T extends snn.Rule
        ? keyof snn.Rule
        : never;
export type Methods<T, Others> = {
  readonly [Name in Exclude<keyof T, Others | Internal | symbol> as T[Name] extends AnyFunction
    ? Name
    : never]: T[Name] extends AnyFunction ? Specs<Parameters<T[Name]>> : never;
};

/** A constructor and the methods of its objects; those of a base class may be among them. */
export interface ClassRow<Args extends readonly unknown[], Calls> {
  readonly new: Specs<Args>;
  readonly call: Calls;
}
export type Classes<Table> = {
  readonly [Name in keyof Table as Table[Name] extends AnyClass
    ? Name extends "Module" | "Optimizer" | "Scheduler" | "Tensor" | "Rule"
      ? never
      : Name
    : never]: Table[Name] extends AnyClass
    ? ClassRow<
        ConstructorParameters<Table[Name]>,
        Methods<InstanceType<Table[Name]>, Base<InstanceType<Table[Name]>>> & {
          readonly [name: string]: readonly Spec[];
        }
      >
    : never;
};

type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends <T>() => T extends Y ? 1 : 2 ? true : false;
export type Writable<T, Others = Internal> = {
  readonly [Name in Exclude<keyof T, Others> as T[Name] extends AnyFunction
    ? never
    : Same<Pick<T, Name>, { -readonly [K in Name]: T[K] }> extends true
      ? Name
      : never]-?: readonly [object: Kind, value: Kind];
};
