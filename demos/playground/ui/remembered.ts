/** Values that a page remembers between visits. Where the reader forbids site data, reading `localStorage` throws. */

/** Values remembered during this visit, also where the browser stores nothing. */
const own = new Map<string, string>();

/** The remembered value, if it is one of these words; otherwise null. */
export function remembered<const Word extends string>(name: string, words: readonly Word[]): Word | null {
  const value = own.get(name) ?? stored(name);
  return words.find((word) => word === value) ?? null;
}

function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  own.set(name, value);
  try {
    localStorage.setItem(name, value);
  } catch {
    // It lasts as long as the page.
  }
}
