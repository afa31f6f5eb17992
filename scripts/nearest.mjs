/** The word of a list that a mistyped word most likely means. */

/** The end of an error that suggests the nearest of these words, if it is at most two edits away, else "". */
export function hintOf(word, words) {
  const [[edits, nearest]] = words.map((other) => [distance(word, other), other]).sort(([a], [b]) => a - b);
  return edits <= 2 ? `; did you mean ${nearest}?` : "";
}

/** Letters to insert, delete or replace (Levenshtein). */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
