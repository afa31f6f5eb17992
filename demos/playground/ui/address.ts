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

  /** `open` takes the query of an address, `query` gives that of the moment. */
  constructor(open: (query: string) => void, query: () => string) {
    this.open = open;
    this.query = query;
    addEventListener("hashchange", () => this.read());
  }

  read(): void {
    const query = queryOf(location.hash);
    // A pending write belongs to the previous address.
    clearTimeout(this.timer);
    if (query === null) return;
    this.open(query);
    this.keep();
  }

  /** Something may have changed. */
  keep(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(this.query()), PAUSE);
  }

  /** Writes a query, without a new entry of the history. */
  write(query: string): void {
    clearTimeout(this.timer);
    history.replaceState(null, "", query === "" ? location.pathname + location.search : `#${query}`);
  }
}
