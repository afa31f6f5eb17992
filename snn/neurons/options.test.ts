/**
 * The options of neurons in an editor: each shows its type, a sentence, and its default, which equals that of the definition.
 */
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test, vi } from "vitest";
import { NEURON_NAMES } from "../../test/support/neuron-rows.ts";
import "../index.ts";
import { fieldsOf, type Schema } from "../neuron/options.ts";
import { INTEGRATOR_FORM, LIF_FORM } from "../neuron/plain-forms.ts";

const NAMES = [...NEURON_NAMES, "LeakyIntegrator"] as const;

/** The options of a definition, with their defaults as written in comments. */
function defaultsOf({ parameters, choices = {} }: Schema): Record<string, string> {
  const all: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(parameters)) {
    const { default: usual, from, also } = fieldsOf(entry);
    Object.assign(all, { [name]: usual }, from?.options, also);
  }
  Object.assign(all, choices);
  const said = (usual: unknown): string => {
    const x = Array.isArray(usual) ? usual[0] : usual;
    if (x === null || Number.isNaN(x)) return "none";
    return typeof x === "string" ? `"${x}"` : String(x).replace("-", "−");
  };
  return Object.fromEntries(Object.entries(all).map(([name, usual]) => [name, said(usual)]));
}

const { definitions } = vi.hoisted(() => ({ definitions: new Map<string, Schema>() }));

vi.mock("../neuron/define.ts", async (original) => {
  const actual = await original<typeof import("../neuron/define.ts")>();
  const lazyNeuron: typeof actual.lazyNeuron = (definition) => {
    definitions.set(definition.name, definition as Schema);
    return actual.lazyNeuron(definition);
  };
  return { ...actual, lazyNeuron };
});

definitions.set("LIF", LIF_FORM);
definitions.set("LeakyIntegrator", INTEGRATOR_FORM);

/** The definition of a class. */
const schemaOf = (name: (typeof NAMES)[number]): Schema => definitions.get(name) as Schema;

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

const options = Object.fromEntries(NAMES.map((name) => [name, defaultsOf(schemaOf(name))]));
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
      return [option, /\b[Dd]efault:?\s("\w+"|[−\w.]*\w)/u.exec(text)?.[1]];
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
