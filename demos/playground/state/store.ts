import { defaults, type Fields, formatValues, parseValues, type Values } from "./fields.ts";

/** Who changed values: a control, an address that was opened, or a file that was loaded. */
export type Origin = "control" | "address" | "file";

type Listener<F> = (changed: ReadonlySet<keyof F>, origin: Origin) => void;

/** The values of a table of fields; tells its listeners what has changed. `confine` gives the nearest values that suit each other. */
export class Store<F extends Fields> {
  readonly fields: F;
  private current: Values<F>;
  private readonly confine: (values: Values<F>) => Values<F>;
  private readonly listeners = new Set<Listener<F>>();

  constructor(fields: F, confine: (values: Values<F>) => Values<F> = (values) => values) {
    this.fields = fields;
    this.confine = confine;
    this.current = defaults(fields);
  }

  get values(): Values<F> {
    return this.current;
  }

  /** Sets some values. Listeners hear of it if any is another one; whether it was so. */
  set(patch: Partial<Values<F>>, origin: Origin = "control"): boolean {
    const before = this.current;
    this.current = this.confine({ ...before, ...patch });
    const changed = new Set<keyof F>(Object.keys(before).filter((name) => differs(before[name], this.current[name])));
    if (changed.size > 0) for (const listener of this.listeners) listener(changed, origin);
    return changed.size > 0;
  }

  subscribe(listener: Listener<F>): void {
    this.listeners.add(listener);
  }

  get query(): string {
    return formatValues(this.fields, this.current);
  }

  /** Takes all values from the query of an address; what it does not name becomes the default. */
  parse(query: string): void {
    this.set(parseValues(this.fields, query), "address");
  }
}

function differs(a: unknown, b: unknown): boolean {
  return String(a) !== String(b);
}
