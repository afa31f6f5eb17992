/** The tree of modules in a module, and its text. */

import type { Tensor } from "../core/tensor.ts";
import { formatShape } from "../shape.ts";

/** The root of a network of modules of type M: a `Module`, whose file imports this one. */
interface Root<M> {
  namedModules(): [string, M][];
  namedParameters(): [string, Tensor][];
}

/** A module of a network. */
interface Part<M extends object = object> {
  readonly name: string;
  readonly module: M;
  /** Prefix of the names inside the module. */
  readonly prefix: string;
  /** The module's parameters that no inner module has, with their names. */
  readonly own: [string, Tensor][];
}

/** All modules of a network, each before its inner modules. */
export function modulesOf<M extends object>(root: Root<M>): Part<M>[] {
  const parts = root.namedModules().map(([name, module]): Part<M> => {
    return { name, module, prefix: name && `${name}.`, own: [] };
  });
  for (const [path, p] of root.namedParameters()) {
    const within = parts.filter(({ prefix }) => path.startsWith(prefix));
    const { prefix, own } = within[within.length - 1] as Part;
    own.push([path.slice(prefix.length), p]);
  }
  return parts;
}

export const parameterCount = ({ own }: Part): number => own.reduce((sum, [, { size }]) => sum + size, 0);

/** A line for each module: name, class, features or shapes of parameters, and number of parameters. */
export function treeOf(parts: readonly Part[]): string {
  let i = 0;
  const next = (indent: string): string => {
    const part = parts[i++] as Part;
    const { module, prefix, own } = part;
    const { inFeatures: from, outFeatures: to } = module as { inFeatures?: number; outFeatures?: number };
    const facts = to ? [`${from} → ${to}`] : own.map(([name, { sizes }]) => `${name} ${formatShape(sizes)}`);
    const count = parameterCount(part);
    if (count) facts.push(`${count} parameter${count > 1 ? "s" : ""}`);
    let within = "";
    for (let inner = parts[i]; inner?.name.startsWith(prefix); inner = parts[i]) {
      within += `\n${indent}  (${inner.name.slice(prefix.length)}): ${next(`${indent}  `)}`;
    }
    return `${module.constructor.name}(${facts.join(", ")}${within && `${within}\n${indent}`})`;
  };
  return next("");
}
