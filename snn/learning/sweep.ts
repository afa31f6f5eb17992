/** A compiled sweep of a rule, with the descriptor places of its arrays. */
import { Program, Rows, type StepDefinition } from "../../engine/fuse/index.ts";

/** One pair for each array: its place in the descriptor, and its index in the list of addresses. */
type Used = readonly (readonly [place: number, index: number])[];

export class RuleSweep {
  readonly rows: Rows;
  private readonly uses = new Map<readonly string[], Used>();

  constructor(definition: StepDefinition, widest: number, take: (bytes: number) => number) {
    this.rows = new Rows(new Program(definition).compile(null), widest, take);
  }

  /** Sets the address of an input and the number of values between rows. */
  input(name: string, at: number, stride: number): void {
    this.rows.note(this.rows.inputPlace(name), at, stride);
  }

  output(name: string, at: number, stride: number): void {
    this.rows.note(this.rows.outputPlace(name), at, stride);
  }

  /** Sets the address of a matrix that is read and written. */
  matrix(name: string, at: number, stride: number): void {
    this.input(name, at, stride);
    this.output(name, at, stride);
  }

  /** Sets the addresses of inputs, in the order of their names. */
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

  /** Sets the address of a state that passes from row to row. */
  carry(name: string, at: number): void {
    this.rows.note(this.rows.statePlace(name), at, 0);
  }
}
