/** Comments of rules: each names the defaults of the parameters, and the order of events if it is not the usual one. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as snn from "../../index.ts";

interface Made {
  readonly order: string;
  readonly form: { readonly parameters: Readonly<Record<string, number>> };
}

const CLASSES = Object.entries(snn).filter(
  ([, value]) => typeof value === "function" && value.prototype instanceof snn.Rule,
) as unknown as [string, new () => Made][];

/** Files of rules export their names from snn/index.ts. */
const index = readFileSync(`${import.meta.dirname}/../../index.ts`, "utf8");

/** The comment of a class, in one line. */
function commentOf(name: string): string {
  const [, file] =
    new RegExp(`^export \\{ ${name} \\} from "\\./(learning/rules/[\\w-]+\\.ts)";$`, "m").exec(index) ?? [];
  const text = readFileSync(`${import.meta.dirname}/../../${file}`, "utf8");
  const before = text.slice(0, text.indexOf(`export const ${name} =`));
  return before.slice(before.lastIndexOf("/**")).replace(/\n \* ?/g, " ");
}

/** A number as written in comments: 0.012, 5·10⁻¹⁰. */
function numberIn(text: string): number {
  const [factor = "", exponent] = text.split("·10⁻");
  const digits = [...(exponent ?? "")].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(digit)).join("");
  return Number(exponent === undefined ? factor : `${factor}e-${digits}`);
}

test("rules: the package has some", () => expect(CLASSES.length).toBeGreaterThan(5));

describe.each(CLASSES)("comment of %s", (name, Class) => {
  const comment = commentOf(name);

  test("names the default of each parameter", () => {
    const { parameters } = new Class().form;
    const [, said = ""] = /Parameters(.*)/.exec(comment) ?? [];
    const found = Object.keys(parameters).map((parameter) => {
      const [, number = ""] = new RegExp(`\\b${parameter} (\\d[\\d.]*(?:·10⁻[⁰¹²³⁴-⁹]+)?)(?<!\\.)`).exec(said) ?? [];
      return [parameter, number === "" ? "no number" : numberIn(number)];
    });
    expect(Object.fromEntries(found)).toEqual(parameters);
  });

  test("names the order", () => {
    const { order } = new Class();
    if (order !== "before") expect(comment).toContain(`\`order: "${order}"\``);
  });

  test("has a source", () => expect(comment).toMatch(/ @see \p{Lu}.* \(\d{4}\), /u));
});
