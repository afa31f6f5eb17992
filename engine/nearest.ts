/** The most likely correction of a mistyped word. */

/** Most changes. Words with more count as unrelated, and the search would be slow. */
const MOST_CHANGES = 2;

/**
 * The word most similar to the given one, or null. At most two letters, and at most one in three, may be inserted,
 * deleted, replaced or swapped with their neighbour. Case is ignored.
 *
 * @example
 * ```ts
 * import { nearest } from "jarvis-snn/extend";
 *
 * console.log(nearest("betta", ["alpha", "beta", "theta"])); // beta
 * ```
 */
export function nearest(word: string, words: readonly string[]): string | null {
  for (let changes = 0; changes <= Math.min(MOST_CHANGES, word.length / 3); changes++) {
    const found = words.find((other) => isWithin(changes, word.toLowerCase(), other.toLowerCase()));
    if (found !== undefined) return found;
  }
  return null;
}

/** Whether at most `changes` changes turn a into b: the optimal string alignment distance, by a bounded search. */
function isWithin(changes: number, a: string, b: string): boolean {
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return a === b || isWithin(changes, restA, restB);
  const left = changes - 1;
  return (
    left >= 0 &&
    (isWithin(left, restA, restB) ||
      isWithin(left, restA, b) ||
      isWithin(left, a, restB) ||
      (a[0] === b[1] && a[1] === b[0] && isWithin(left, a.slice(2), b.slice(2))))
  );
}
