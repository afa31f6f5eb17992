/**
 * Reads untrusted JSON without building objects: values are returned as text, and unused values take no memory. Each
 * step takes linear time, and nesting is limited, so no text exhausts the stack.
 */
import { show } from "./arguments.ts";

/** Deepest nesting of lists and objects, as in the safetensors library. */
const DEEPEST = 128;

const SPACE = " \t\n\r";
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const QUOTE = 34;
const BACKSLASH = 92;

/** A position in a text. Methods read from `at` and advance it; unexpected text throws a SyntaxError. */
class Scanner {
  at = 0;
  private readonly text: string;
  /** Name of the outermost object's current member. */
  private member = "";

  constructor(text: string) {
    this.text = text;
  }

  /** The next character after white space; "" at the end. */
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

  /** Reads a value with at most `depth` nested lists and objects; returns its text. */
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

  /** Reads an object; calls `visit` at the start of each member's value. */
  object(depth: number, visit: (name: string) => void): void {
    const names = new Set<string>();
    this.list(depth, () => {
      if (this.next() !== '"') this.fail("a name");
      const name = this.string();
      // JSON.parse would silently use the last value.
      if (names.has(name)) throw new SyntaxError(`the name ${show(name)} twice`);
      names.add(name);
      if (depth === 0) this.member = ` in ${show(name)}`;
      if (this.next() !== ":") this.fail('":"');
      this.at++;
      visit(name);
    });
  }

  /** Reads items between brackets or braces; calls `visit` at the start of each item. */
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
 * Calls `visit` with name and text of every member of an object.
 *
 * @throws SyntaxError unless the text is an object without duplicate names in any object.
 */
export function members(json: string, visit: (name: string, value: string) => void): void {
  const scanner = new Scanner(json);
  if (scanner.next() !== "{") scanner.fail('"{"');
  scanner.object(0, (name) => visit(name, scanner.value(1)));
  scanner.end();
}

/**
 * Parses text like `JSON.parse(json, reviver)`.
 *
 * @throws SyntaxError unless the text is JSON without duplicate names in any object.
 */
export function parse(json: string, reviver: Parameters<typeof JSON.parse>[1]): unknown {
  const scanner = new Scanner(json);
  scanner.value(0);
  scanner.end();
  return JSON.parse(json, reviver);
}
