/** One call: its arguments are made, it is made, and what comes of it is looked at. */

import { root, scope } from "../../../engine/core/scope.ts";
import { ones, type Tensor } from "../../../engine/index.ts";
import { valuesOf } from "../execute.ts";
import { argsOf, type Case, type Finding } from "./code.ts";
import { evaluate, judge } from "./judge.ts";
import { arenaBytes, deadCanaries, isFull, left, mark, strangeReleases } from "./ledger.ts";
import { FOREIGN, FREED } from "./oddities.ts";
import { givenIn, ownedBy, release, releaseHeld, releaseOwners, resultsIn } from "./reach.ts";
import { isMember, TARGETS, type Target } from "./targets.ts";

/** What came of a call: a value, an error, or nothing, as an argument could not be made. */
export type Outcome = "returned" | "threw" | "unmade";

/** Calls that write into their arguments. */
const WRITES = /^(Tensor#copyFrom|batchNorm|Plastic#events|PlasticLayer#unroll|\w+#step)$/;

/** Calls whose results lie outside of tapes, so that they do not go with one that fails. */
const OUTLIVES = /^(Plastic#(step|events)|PlasticLayer#(step|unroll)|EProp#step)$/;

/** Names that the code of a case uses: those of the package, and the helpers. */
export const names = globalThis as unknown as Record<string, unknown>;

/** What `changing` has noted: the names that were read again, and what it gave first. */
const rereads = (): string[] => names.rereads as string[];
const firsts = (): unknown[] => names.firsts as unknown[];

export class Trial {
  readonly findings: Finding[] = [];
  outcome: Outcome = "unmade";
  /** What follows would suffer from it. */
  isDamaged = false;
  private readonly c: Case;
  private readonly target: Target;
  private args: unknown[] = [];
  /** The tensors among the arguments, with what they were made of and without, and the memory of all arguments. */
  private owned: Tensor[] = [];
  private given: Tensor[] = [];
  private mine: ReadonlySet<number> = new Set();
  private inputs: [Tensor, Uint32Array][] = [];
  private readonly made: unknown[] = [];
  private result: unknown;

  constructor(c: Case) {
    this.c = c;
    this.target = TARGETS.get(c.target) as Target;
  }

  private report(kind: Finding["kind"], message: string): void {
    if (!this.findings.some((one) => one.kind === kind && one.message === message))
      this.findings.push({ kind, message });
  }

  /** Makes the arguments; whether there are any. */
  prepare(): boolean {
    mark();
    firsts().length = 0;
    try {
      this.args = evaluate(`[${argsOf(this.c).join(", ")}]`) as unknown[];
    } catch {
      return false;
    } finally {
      this.mine = new Set(left());
      this.owned = ownedBy([this.args, ...firsts()]);
    }
    const { name } = this.target;
    // What a clone lost is not the package's to miss.
    if (isMember(this.target) && !(name in (this.args[0] as object))) return false;
    rereads().length = 0;
    this.given = givenIn(this.args);
    if (!WRITES.test(this.c.target)) {
      this.inputs = this.given
        .filter((t) => t.region.open && (t.base === null || t.base.region.open) && t.size < 1e5)
        .map((t) => [t, bitsOf(t)]);
    }
    return true;
  }

  call(): void {
    try {
      this.result = this.invoke();
      if (typeof (this.result as { next?: unknown })?.next === "function") this.result = [...(this.result as [])];
      this.outcome = "returned";
    } catch (error) {
      this.failed(error);
    }
  }

  private invoke(): unknown {
    const { form, name, of, made } = this.target;
    const { args } = this;
    const [first, ...rest] = args as [Record<string, unknown>, ...unknown[]];
    if (form === "function") return (resolve(name) as (...args: unknown[]) => unknown)(...args);
    if (form === "new") return new (names[of] as new (...args: unknown[]) => unknown)(...args);
    if (form === "get") return first[name];
    if (form === "set") {
      first[name] = rest[0];
      return null;
    }
    const object =
      form === "member" ? first : new (names[of] as new (...args: unknown[]) => object)(...args.slice(0, made));
    if (form !== "member") this.made.push(object);
    const method = (object as Record<string | symbol, unknown>)[name === "[Symbol.iterator]" ? Symbol.iterator : name];
    return (method as (...args: unknown[]) => unknown).apply(object, args.slice(form === "member" ? 1 : made));
  }

  /** The end of what goes on after the call. */
  async settled(): Promise<void> {
    if (!(this.result instanceof Promise)) return;
    try {
      this.result = await this.result;
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    this.outcome = "threw";
    this.judge(error);
    // There are things that gradcheck cannot have inside.
    if (this.c.edits.length > 0 || this.findings.length > 0 || this.c.setting === "gradcheck") return;
    if (this.c.setting === "polluted") this.report("plausible", "refused as Object.prototype has a further name");
    else this.report("plausible", String(error));
  }

  judge(error: unknown, where = ""): void {
    for (const { kind, message } of judge(error, where)) this.report(kind, message);
  }

  /** Looks at what was returned. */
  inspect(): void {
    if (this.outcome === "returned") {
      for (const { refused } of this.c.edits) {
        if (refused === undefined) continue;
        this.report(refused === FOREIGN ? "foreign" : refused === FREED ? "freed" : "accepted", `took ${refused}`);
      }
      for (const name of new Set(rereads())) this.report("reread", `read ${name} twice`);
      const results = resultsIn(this.result).filter((t) => !this.given.includes(t));
      for (const t of results) this.check(t);
      const recorded = results.filter((t) => t.op !== null);
      if (this.c.backward) for (const t of recorded.slice(0, 3)) this.differentiate(t);
    }
    for (const [t, bits] of this.inputs) {
      if (!t.region.open || (t.base !== null && !t.base.region.open)) continue;
      if (!sameBits(bitsOf(t), bits)) this.report("input", "an argument has other values than before");
    }
  }

  private check(t: Tensor): void {
    if (!Object.isFrozen(t.shape)) this.report("shape", "the shape of a result is not frozen");
    const size = t.shape.reduce((product, n) => product * n, 1);
    if (size !== t.size) this.report("shape", `a result of shape [${t.shape}] has ${t.size} values`);
    try {
      if (t.size < 1e6) t.toFloat32Array();
    } catch (error) {
      this.judge(error, "its values: ");
    }
  }

  private differentiate(z: Tensor): void {
    try {
      const loss = z.sum();
      this.made.push(loss);
      loss.backward();
    } catch (error) {
      this.judge(error, "backward: ");
    }
  }

  release(): void {
    release([this.result, this.made, this.args]);
  }

  /** What outlived `gradcheck`. */
  use(): void {
    for (const t of ownedBy([this.result, this.made])) {
      try {
        t.add(1).dispose();
      } catch (error) {
        this.judge(error, "after gradcheck: ");
      }
      t.dispose();
    }
  }

  /** What is left behind. */
  aftermath(): void {
    const dead = deadCanaries();
    if (dead > 0) this.report("canary", `${dead} values of other tensors were overwritten`);
    for (const message of strangeReleases()) this.report("heap", message);
    if (scope !== root) {
      this.report("scope", "a scope is still open");
      this.isDamaged = true;
    }
    releaseOwners([this.args, ...firsts(), this.made]);
    releaseHeld(this.result);
    for (const t of this.owned) t.dispose();
    if (OUTLIVES.test(this.c.target)) for (const t of ownedBy([this.result])) t.dispose();
    const isLeft = [...left()].some((p) => !this.mine.has(p));
    if (isLeft && this.c.target !== "alloc") this.report("leak", "memory is left in use");
    if (arenaBytes() !== 0) this.report("leak", `${arenaBytes()} bytes of a tape are left in use`);
    this.isDamaged ||= isFull();
    this.probe();
  }

  /** A tensor can still be made and read. */
  private probe(): void {
    try {
      const t = ones([2]);
      if (t.toFloat32Array().join() !== "1,1") throw new Error("it has other values");
      t.dispose();
    } catch (error) {
      this.report("heap", `a tensor that was made later: ${error}`);
      this.isDamaged = true;
    }
  }
}

const resolve = (path: string): unknown =>
  path.split(".").reduce<unknown>((object, name) => (object as Record<string, unknown>)[name], names);

const bitsOf = (t: Tensor): Uint32Array => new Uint32Array(new Float32Array(valuesOf(t)).buffer);

const sameBits = (x: Uint32Array, y: Uint32Array): boolean =>
  x.length === y.length && x.every((word, i) => word === y[i]);
