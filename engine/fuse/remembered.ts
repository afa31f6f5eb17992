/** A cache of at most 256 results, such as plans and compiled modules. */

/** More than a program uses; a module takes address space that the platform has little of. */
const MOST = 256;

/** The result of `make` for the key, made once; the oldest results leave a full cache. */
export function remembered<X>(known: Map<string, X>, key: string, make: () => X): X {
  let x = known.get(key);
  if (x === undefined) {
    x = make();
    for (const oldest of known.keys()) {
      if (known.size < MOST) break;
      known.delete(oldest);
    }
    known.set(key, x);
  }
  return x;
}
