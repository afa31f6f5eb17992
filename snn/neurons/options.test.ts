/**
 * The options of neurons in an editor: each has its type, its sentence and its default, which equals the default of the
 * definition.
 */
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { NEURON_NAMES } from "../../test/support/neuron-rows.ts";
import * as snn from "../index.ts";
import type { Form } from "../neuron/form.ts";
import type { Schema } from "../neuron/options.ts";

const NAMES = [...NEURON_NAMES, "LeakyIntegrator"] as const;

/** The options that a definition has, with their defaults as texts say them. */
function defaultsOf({ parameters, optional = {}, from = {}, also = {}, choices = {} }: Schema): Record<string, string> {
  const all: Record<string, unknown> = { ...parameters, ...optional, ...choices };
  for (const { options } of Object.values(from)) Object.assign(all, options);
  for (const name of Object.keys(also)) all[name] = false;
  const said = (usual: unknown): string => {
    const x = Array.isArray(usual) ? usual[0] : usual;
    if (x === null || Number.isNaN(x)) return "none";
    return typeof x === "string" ? `"${x}"` : String(x).replace("-", "−");
  };
  return Object.fromEntries(Object.entries(all).map(([name, usual]) => [name, said(usual)]));
}

/** The definition of a class: that of a layer, with the parameters of the definition alone. */
const formOf = (name: (typeof NAMES)[number]): Form => new (snn[name] as unknown as new () => { form: Form })().form;

const ROOT = join(import.meta.dirname, "../..");
const FILE = join(ROOT, "snn/neurons/editor.ts");

/** The text that an editor shows at each option of a source file, by class and option. */
class Editor {
  private readonly source: string;
  private readonly service: ts.LanguageService;

  constructor(source: string) {
    this.source = source;
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(ROOT, "tsconfig.base.json"), ts.sys.readFile).config,
      ts.sys,
      ROOT,
    );
    this.service = ts.createLanguageService({
      getCompilationSettings: () => ({ ...options, noEmit: true, composite: false }),
      getScriptFileNames: () => [FILE, join(ROOT, "platform.d.ts")],
      getScriptVersion: () => "1",
      getScriptSnapshot(path) {
        const text = path === FILE ? source : ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => ROOT,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: (path) => path === FILE || ts.sys.fileExists(path),
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
    });
  }

  /** Type and documentation of the option in the expression. */
  at(expression: string, option: string): { type: string; text: string } {
    const start = this.source.indexOf(expression);
    const position = start + expression.indexOf(` ${option}:`) + 1;
    const info = this.service.getQuickInfoAtPosition(FILE, position);
    return {
      type: ts.displayPartsToString(info?.displayParts),
      text: ts.displayPartsToString(info?.documentation),
    };
  }

  /** The errors of types. */
  errors(): string[] {
    return this.service
      .getSemanticDiagnostics(FILE)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  }
}

const options = Object.fromEntries(NAMES.map((name) => [name, defaultsOf(formOf(name))]));
const COMMON = ["learn", "constrain", "numerics"];
const FIRING = ["surrogate", "fire", "refractorySteps", "refractory", "gradedSpikesFactor", "inhibition", "spiking"];
const isReadout = (name: string): boolean => name === "LeakyIntegrator";

const made = (name: string): string => {
  const all = [...Object.keys(options[name] as object), ...COMMON, ...(isReadout(name) ? [] : FIRING)];
  return `new snn.${name}({ ${all.map((option) => `${option}: undefined as never`).join(", ")} })`;
};
const editor = new Editor(
  `import * as snn from "../index.ts";\n${NAMES.map((name) => `export const a${name} = ${made(name)};`).join("\n")}\n`,
);

test("editor: all options compile", () => expect(editor.errors()).toEqual([]));

describe.each(NAMES)("editor: %s", (name) => {
  test("shows type, sentence and default of its own options", () => {
    const shown = Object.keys(options[name] as object).map((option) => {
      const { type, text } = editor.at(made(name), option);
      expect(type, option).toMatch(new RegExp(`^\\(property\\) ${option}\\?: .`));
      expect(text, option).toMatch(/^[\p{L}"].{10,}\.$/su);
      return [option, /\b[Dd]efault:? ("\w+"|[−\w.]*\w)/u.exec(text)?.[1]];
    });
    expect(Object.fromEntries(shown)).toEqual(options[name]);
  });

  test("shows sentence and default of the options of all", () => {
    for (const option of [...COMMON, ...(isReadout(name) ? [] : FIRING)]) {
      expect(editor.at(made(name), option).text, option).toMatch(/\bDefault/);
    }
  });
});

test("editor: an option of LIF says its type, the words that take its place among them", () => {
  expect(editor.at(made("LIF"), "rest").type).toBe("(property) rest?: number | Tensor");
  expect(editor.at(made("LIF"), "inputScale").type).toContain('"leak"');
  expect(editor.at(made("AdaptiveLIF"), "kappa").text).toContain("κ, the rise of the threshold");
});
