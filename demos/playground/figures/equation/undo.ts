/** The states that a reader has gone through, back and forth. */

/** More steps back than anyone goes: the oldest leave. */
const MOST = 200;

export class Undo<State> {
  private readonly states: State[];
  private at = 0;
  /** The kind of the last change, which a further one of the kind continues. */
  private kind = "";

  constructor(first: State) {
    this.states = [first];
  }

  get canUndo(): boolean {
    return this.at > 0;
  }

  get canRedo(): boolean {
    return this.at < this.states.length - 1;
  }

  /** Notes a state. Changes of one kind that follow each other are one step, as those of a slider that is dragged; of "" each is one. */
  note(state: State, kind = ""): void {
    const continues = kind !== "" && kind === this.kind && this.at > 0 && !this.canRedo;
    this.states.splice(continues ? this.at : this.at + 1, this.states.length, state);
    if (this.states.length > MOST) this.states.shift();
    this.at = this.states.length - 1;
    this.kind = kind;
  }

  undo(): State {
    return this.go(-1);
  }

  redo(): State {
    return this.go(1);
  }

  private go(by: number): State {
    this.kind = "";
    this.at = Math.min(this.states.length - 1, Math.max(0, this.at + by));
    return this.states[this.at] as State;
  }
}
