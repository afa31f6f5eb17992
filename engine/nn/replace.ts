/** Methods of modules that are replaced for a time, so that calls within a network can be seen. */
import { checkChangeable, type Module } from "./module.ts";

/**
 * Puts another function in the place of a method of this module alone. The result puts back the state before: the method of the class,
 * or a function that the module had as its own.
 */
export function replaceMethod<M extends Module, Name extends keyof M & string>(
  module: M,
  name: Name,
  by: M[Name],
): () => void {
  checkChangeable(name, module.constructor.name, module);
  const before = Object.getOwnPropertyDescriptor(module, name);
  Object.defineProperty(module, name, { value: by, writable: true, enumerable: true, configurable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(module, name);
    else Object.defineProperty(module, name, before);
  };
}
