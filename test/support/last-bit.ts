/** Programs whose numbers are moved by the last bit of a float32: what they print may not hang on it. */
import ts from "typescript";

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float32 next to x, away from 0 (1) or towards it (−1). */
export function neighbour(x: number, direction: 1 | -1): number {
  float[0] = x;
  bits[0] = (bits[0] as number) + direction;
  return float[0];
}

interface Sensitive {
  /** A module whose default export runs the program with these numbers in the place of its own. */
  readonly module: string;
  /** The literals of the program that have a point or an exponent. */
  readonly numbers: readonly number[];
}

/** A program as a function of its literals that have a point or an exponent: integers are counts and sizes. */
export function byLiterals(program: string): Sensitive {
  const source = ts.createSourceFile("program.ts", program, ts.ScriptTarget.Latest);
  const literals: ts.NumericLiteral[] = [];
  function visit(node: ts.Node): void {
    if (ts.isNumericLiteral(node) && /[.e]/i.test(node.getText(source))) literals.push(node);
    ts.forEachChild(node, visit);
  }
  visit(source);
  let [imports, body, end] = ["", "", 0];
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    imports += `${statement.getText(source)}\n`;
    end = statement.end;
  }
  for (const [i, literal] of literals.entries()) {
    body += `${program.slice(end, literal.getStart(source))}literals[${i}]!`;
    end = literal.end;
  }
  body += program.slice(end);
  return {
    module: `${imports}\nexport default async (literals: number[]) => {${body}\n};\n`,
    numbers: literals.map(({ text }) => Number(text)),
  };
}

const NUMBER = /\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** The unit of the last digit of a printed number; 0 for an integer, which is a count. */
function lastDigit(number: string): number {
  const [, fraction, exponent = "0"] = /^\d+(?:\.(\d+))?(?:e(.+))?$/.exec(number) as RegExpExecArray;
  return fraction === undefined ? 0 : 10 ** (Number(exponent) - fraction.length);
}

const words = (line: string) => line.replace(NUMBER, "#").replace(/\s+/g, " ").trim();

function isNear(expected: string, got: string): boolean {
  if (words(expected) !== words(got)) return false;
  const numbers = got.match(NUMBER) ?? [];
  return (expected.match(NUMBER) ?? []).every(
    (number, i) =>
      Math.abs(Number(number) - Number(numbers[i])) <= Math.max(1.001 * lastDigit(number), 1e-6 * Number(number)),
  );
}

/**
 * The first line that differs, but for a unit of the last digit of numbers with a point, and for roundings of numbers that are printed in full;
 * null if none does.
 */
export function differs(expected: readonly string[], got: readonly string[]): string | null {
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    const [line = "", other = ""] = [expected[i], got[i]];
    if (!isNear(line, other)) return `“${line}” becomes “${other}”`;
  }
  return null;
}
