/**
 * One golden file as a table of tests: every entry is run by one test, or the suite says why it is left out. An entry that is
 * neither is a failure, and so is a part of the file that nothing reads.
 */
import { tape } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { during, observe } from "./conformance.ts";
import { readGolden } from "./golden.ts";

export interface NamedEntry {
  readonly name: string;
}

export interface GoldenSuite<Content, Entry extends NamedEntry> {
  /** The file, as in "torch/optim". */
  readonly file: string;
  /** What is tested one by one. */
  readonly entries: (content: Content) => readonly Entry[];
  /** Top-level keys of the file that the entries are taken from and that the tests read. */
  readonly reads: readonly string[];
  /** Reasons, by the name of an entry, by its kind, or by a top-level key. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Faults of the peer that the file holds and the package reproduces, in the same way; for the page on conformance. */
  readonly peerBugs?: Readonly<Record<string, string>>;
  /** More such faults, by the options that show them, which other files of the schema may hold. */
  readonly otherBugs?: Readonly<Record<string, string>>;
  /** What several entries have in common, such as the op. */
  readonly kind?: (entry: Entry) => string;
  /** Compares one entry, inside a tape. Throws on what it does not know. */
  readonly run: (entry: Entry, content: Content) => void;
}

/** Top-level keys that describe the file. */
const ENVELOPE = ["source", "case", "schema"];

export function goldenSuite<Content extends object, Entry extends NamedEntry>(
  suite: GoldenSuite<Content, Entry>,
): void {
  const { content, replaced } = readGolden<Content>(suite.file);
  describe(suite.file, () => {
    for (const entry of included(suite, content)) {
      test(entry.name, () => during(suite.file, entry.name, () => tape(() => suite.run(entry, content))));
    }
    for (const [name, leftOut] of Object.entries(suite.leftOut)) observe({ leftOut }, { file: suite.file, case: name });
    for (const [name, peerBug] of Object.entries({ ...suite.peerBugs, ...suite.otherBugs }))
      observe({ peerBug }, { file: suite.file, case: name });
    test("every entry is compared or left out", () => expect(uncovered(suite, content, replaced)).toEqual([]));
  });
}

/** The entries that are tested. */
export function included<Content, Entry extends NamedEntry>(
  suite: GoldenSuite<Content, Entry>,
  content: Content,
): Entry[] {
  return suite.entries(content).filter((entry) => reasonOf(suite, entry) === undefined);
}

/** The reason for leaving an entry out, if it is. */
function reasonOf<Content, Entry extends NamedEntry>(
  suite: GoldenSuite<Content, Entry>,
  entry: Entry,
): string | undefined {
  const names = [entry.name, suite.kind?.(entry) ?? entry.name];
  return names.map((name) => suite.leftOut[name]).find((reason) => reason !== undefined);
}

/**
 * Parts of the file that nothing reads and that are not left out; unless the file was replaced, also reasons for what the
 * file does not hold.
 */
export function uncovered<Content extends object, Entry extends NamedEntry>(
  suite: GoldenSuite<Content, Entry>,
  content: Content,
  replaced: boolean,
): string[] {
  const keys = Object.keys(content);
  const known = new Set([...ENVELOPE, ...suite.reads, ...Object.keys(suite.leftOut)]);
  const problems = keys.filter((key) => !known.has(key)).map((key) => `nothing reads "${key}"`);
  // The entries of another file may all be those that other tests compare.
  const compared = replaced ? suite.entries(content) : included(suite, content);
  if (compared.length === 0) problems.push("no entry is compared");
  if (replaced) return problems;
  const present = new Set(keys);
  for (const entry of suite.entries(content)) present.add(entry.name).add(suite.kind?.(entry) ?? entry.name);
  const named = Object.keys({ ...suite.leftOut, ...suite.peerBugs });
  const stale = named.filter((name) => !present.has(name));
  return [...problems, ...stale.map((name) => `left out, or a bug, but not in the file: "${name}"`)];
}
