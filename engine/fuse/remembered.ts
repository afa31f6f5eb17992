/** What takes long to make and is asked for again. */

/** More than a program uses; a module takes address space that the platform has little of. */
const MOST = 256;

/** What `make` gave for the key; where there are too many, the oldest one is forgotten. */
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
