/** A compiled sweep of a rule, with the places of the arrays that it reads and writes. */
import { Program, Rows, type StepDefinition } from "../../engine/fuse/index.ts";

/** Of an array: its place in the descriptor, and its index in a list of addresses. */
type Used = readonly (readonly [place: number, index: number])[];

export class RuleSweep {
  readonly rows: Rows;
  private readonly uses = new Map<readonly string[], Used>();

  constructor(definition: StepDefinition, widest: number, take: (bytes: number) => number) {
    this.rows = new Rows(new Program(definition).compile(null), widest, take);
  }

  /** Notes where an input lies, and the values from a row to the next. */
  input(name: string, at: number, stride: number): void {
    this.rows.note(this.rows.inputPlace(name), at, stride);
  }

  output(name: string, at: number, stride: number): void {
    this.rows.note(this.rows.outputPlace(name), at, stride);
  }

  /** A matrix that is read and written. */
  matrix(name: string, at: number, stride: number): void {
    this.input(name, at, stride);
    this.output(name, at, stride);
  }

  /** Notes the addresses of inputs, in the order of their names. */
  inputs(names: readonly string[], addresses: readonly number[], stride: number): void {
    let used = this.uses.get(names);
    if (used === undefined) {
      used = names.map((name, i) => [this.rows.inputPlace(name), i] as const).filter(([place]) => place >= 0);
      this.uses.set(names, used);
    }
    for (let i = 0; i < used.length; i++) {
      const [place, index] = used[i] as readonly [number, number];
      this.rows.note(place, addresses[index] as number, stride);
    }
  }

  reads(name: string): boolean {
    return this.rows.inputPlace(name) >= 0;
  }

  writes(name: string): boolean {
    return this.rows.outputPlace(name) >= 0;
  }

  /** Notes where a state lies that goes from row to row. */
  carry(name: string, at: number): void {
    this.rows.note(this.rows.statePlace(name), at, 0);
  }
}
