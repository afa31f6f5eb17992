/** Results that are made once for a key: all of them, or in a cache of at most 256, such as of plans and compiled modules. */

/** More than a program uses; a module takes address space that the platform has little of. */
const MOST = 256;

/** The result of `make` for the key, made once. */
export function once<Key, X>(known: Map<Key, X>, key: Key, make: () => X): X {
  let x = known.get(key);
  if (x === undefined) {
    x = make();
    known.set(key, x);
  }
  return x;
}

/** The same in a cache: the oldest results leave a full one. */
export const remembered = <X>(known: Map<string, X>, key: string, make: () => X): X =>
  once(known, key, () => {
    const x = make();
    for (const oldest of known.keys()) {
      if (known.size < MOST) break;
      known.delete(oldest);
    }
    return x;
  });
