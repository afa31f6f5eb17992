/**
 * JSON of unknown origin, taken apart without building it: a value that nobody asks for takes no memory, every other
 * one is there as the text that it is. Each step is linear in the length of the text, and nesting has a limit, so that
 * no text exhausts the stack.
 */
import { show } from "./arguments.ts";

/** Levels of lists and objects; the limit of the format library of safetensors. */
const DEEPEST = 128;

const SPACE = " \t\n\r";
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Where a scan is in its text. Methods leave `at` behind the text that they have read, and throw a SyntaxError where
 * other text stands.
 */
class Scanner {
  at = 0;
  private readonly text: string;
  /** The member of the outermost object that is read. */
  private member = "";

  constructor(text: string) {
    this.text = text;
  }

  /** The character behind white space, "" at the end. */
  next(): string {
    let c = this.text.charAt(this.at);
    while (c !== "" && SPACE.includes(c)) c = this.text.charAt(++this.at);
    return c;
  }

  fail(expected: string): never {
    const got = this.at < this.text.length ? show(this.text.slice(this.at, this.at + 20)) : "the end";
    throw new SyntaxError(`${got} at ${this.at}${this.member} where ${expected} belongs`);
  }

  end(): void {
    if (this.next() !== "") this.fail("the end");
  }

  /** A value of any kind, within `depth` lists and objects; gives its text. */
  value(depth: number): string {
    const first = this.next();
    const start = this.at;
    if (first === '"') this.string();
    else if (first === "{") this.object(depth, () => this.value(depth + 1));
    else if (first === "[") this.list(depth, () => this.value(depth + 1));
    else {
      SCALAR.lastIndex = start;
      if (!SCALAR.test(this.text)) this.fail("a value");
      this.at = SCALAR.lastIndex;
    }
    return this.text.slice(start, this.at);
  }

  /** Calls back where the value of a member begins. */
  object(depth: number, visit: (name: string) => void): void {
    const names = new Set<string>();
    this.list(depth, () => {
      if (this.next() !== '"') this.fail("a name");
      const name = this.string();
      // JSON.parse would let the last one win.
      if (names.has(name)) throw new SyntaxError(`the name ${show(name)} twice`);
      names.add(name);
      if (depth === 0) this.member = ` in ${show(name)}`;
      if (this.next() !== ":") this.fail('":"');
      this.at++;
      visit(name);
    });
  }

  /** Calls back where an item begins, between brackets or braces. */
  private list(depth: number, visit: () => void): void {
    if (depth === DEEPEST) this.fail(`a value no deeper than ${DEEPEST} levels`);
    const end = this.text.charAt(this.at++) === "[" ? "]" : "}";
    if (this.next() === end) this.at++;
    else {
      for (visit(); this.next() !== end; visit()) {
        if (this.next() !== ",") this.fail(`"," or "${end}"`);
        this.at++;
      }
      this.at++;
    }
  }

  private string(): string {
    const { text, at: start } = this;
    let at = start + 1;
    let isPlain = true;
    for (let c = text.charCodeAt(at); c !== QUOTE; c = text.charCodeAt(at)) {
      if (!(c >= 32)) this.fail(at < text.length ? "a string without control characters" : "a string that ends");
      if (c === BACKSLASH) isPlain = false;
      at += c === BACKSLASH ? 2 : 1;
    }
    this.at = at + 1;
    if (isPlain) return text.slice(start + 1, at);
    try {
      return JSON.parse(text.slice(start, at + 1));
    } catch {
      this.at = start;
      return this.fail("a string with known escapes");
    }
  }
}

/**
 * Calls back with the name and the text of every member of an object.
 *
 * @throws SyntaxError unless the text is an object, in which no object has the same name twice.
 */
export function members(json: string, visit: (name: string, value: string) => void): void {
  const scanner = new Scanner(json);
  if (scanner.next() !== "{") scanner.fail('"{"');
  scanner.object(0, (name) => visit(name, scanner.value(1)));
  scanner.end();
}

/**
 * Parses text as `JSON.parse` does with the same reviver.
 *
 * @throws SyntaxError unless the text is JSON, in which no object has the same name twice.
 */
export function parse(json: string, reviver: Parameters<typeof JSON.parse>[1]): unknown {
  const scanner = new Scanner(json);
  scanner.value(0);
  scanner.end();
  return JSON.parse(json, reviver);
}

/** The beginning of a text, for an error message that it must not flood. */
export const shortened = (text: string, length = 80): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
