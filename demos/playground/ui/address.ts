/** The configuration of a figure in the address of its page: what follows `#`. */

/** A change is written when the hand has rested for so many milliseconds. */
const PAUSE = 120;

/** `#data=xor` → data=xor, as of an older address, `#/train?data=xor`; null for the heading of a page. */
export function queryOf(hash: string): string | null {
  const query = hash.replace(/^#(\/\w*\??)?/, "");
  return query === "" || query.includes("=") ? query : null;
}

export class Address {
  private readonly open: (query: string) => void;
  private readonly query: () => string;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The pointer or the key that is held down, and whether it has an entry of the history already; null for none. */
  private held: { entered: boolean } | null = null;
  /** The pending write begins an entry. */
  private begins = false;

  /** `open` takes the query of an address, `query` gives that of the moment. */
  constructor(open: (query: string) => void, query: () => string) {
    this.open = open;
    this.query = query;
    // Comes with the change of the address, before a pending write could take the new entry for its own.
    addEventListener("popstate", () => this.read());
    const hold = (event: Event): void => {
      if (!(event instanceof KeyboardEvent && event.repeat)) this.held = { entered: false };
    };
    const release = (): void => {
      this.held = null;
    };
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, hold, true);
    for (const name of ["pointerup", "pointercancel", "keyup"]) addEventListener(name, release, true);
  }

  read(): void {
    const query = queryOf(location.hash);
    // A pending write belongs to the previous address.
    clearTimeout(this.timer);
    this.begins = false;
    if (query === null) return;
    this.open(query);
    this.keep();
  }

  /**
   * Something may have changed. With `begins` the change is an entry of the history, from which the reader can go back; all changes while one
   * pointer or key is down, such as a drag, are one entry.
   */
  keep(begins = false): void {
    clearTimeout(this.timer);
    this.begins ||= begins && this.held?.entered !== true;
    this.timer = setTimeout(() => this.write(this.query()), PAUSE);
  }

  private write(query: string): void {
    const isEntry = this.begins && queryOf(location.hash) !== query;
    if (isEntry && this.held !== null) this.held.entered = true;
    this.begins = false;
    const address = query === "" ? location.pathname + location.search : `#${query}`;
    history[isEntry ? "pushState" : "replaceState"](null, "", address);
  }
}
