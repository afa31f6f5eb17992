/** What the page needs of each room. */
export interface Room {
  readonly node: HTMLElement;
  /** Opens the configuration of an address. */
  open(query: string): void;
  /** The room is left; what runs in it rests. */
  close(): void;
  /** The configuration as it is, for the address. */
  query(): string;
  /** The configuration with what a reader of a shared link should see besides. */
  shareQuery(): string;
  /** Says in words which of the things to see a link does not hold; null if it holds all. */
  missing(): string | null;
  /** Called whenever the query may have changed. */
  onChange: () => void;
  /** The main picture as SVG, with a name for its file. */
  picture(): { name: string; svg: string };
  /** Space, the right arrow and Shift + R. */
  readonly keys: { play(): void; step(): void; reset(): void };
}
