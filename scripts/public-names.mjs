/** The public names of the package, as the compiler of TypeScript finds them, and the examples in their comments. */
import { join, relative } from "node:path";
import ts from "typescript";
import { root } from "./entries.mjs";

/** The options under which examples compile, and the sources of the entries. */
function settings() {
  const path = join(root, "tsconfig.docs.json");
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, root, undefined, path);
}

/** The program of all entries. */
export function programOfEntries() {
  const { fileNames, options } = settings();
  return ts.createProgram(fileNames, options);
}

/** A fenced block behind `@example`. */
const EXAMPLE = /^@example\n```ts\n(.*?)^```$/gms;

function commentsOf(symbol) {
  const comments = (symbol.declarations ?? []).flatMap((declaration) => ts.getJSDocCommentsAndTags(declaration));
  // Declarations that share a statement share its comment.
  const texts = comments.filter(ts.isJSDoc).map((comment) => comment.getText());
  return [...new Set(texts)].map((text) => text.replace(/^\/\*\* ?|^[ \t]*\* ?|\s*\*\/$/gm, ""));
}

/** Whether a program can make objects of the value, call it, or read it; `type` has no value. */
function kindOf(checker, exported, symbol) {
  const isTypeAlone = (exported.declarations ?? []).some(
    (each) => ts.isExportSpecifier(each) && ts.isTypeOnlyExportDeclaration(each),
  );
  if (isTypeAlone || (symbol.flags & ts.SymbolFlags.Value) === 0) return "type";
  if ((symbol.flags & ts.SymbolFlags.ValueModule) !== 0) return "namespace";
  const type = checker.getTypeOfSymbol(symbol);
  if (type.getConstructSignatures().length > 0) return "class";
  return type.getCallSignatures().length > 0 ? "function" : "constant";
}

/**
 * The names that each entry exports, by the path of its source, such as `snn/index.ts`: of each the `kind` ("class", "function", "constant",
 * "namespace" or "type"), the `file` of its declaration, the programs of its `examples`, and of a namespace the `members`.
 */
export function publicNames(program) {
  const checker = program.getTypeChecker();
  const known = new Map();
  const described = (exported) => {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    const kind = kindOf(checker, exported, symbol);
    const key = `${kind} ${exported.name}`;
    const of = known.get(symbol) ?? known.set(symbol, new Map()).get(symbol);
    if (of.has(key)) return of.get(key);
    const [declaration] = symbol.declarations ?? [];
    const file = relative(root, declaration.getSourceFile().fileName).replaceAll("\\", "/");
    const examples = commentsOf(symbol).flatMap((text) => [...text.matchAll(EXAMPLE)].map(([, code]) => code));
    const members = kind === "namespace" ? membersOf(symbol) : [];
    const found = { name: exported.name, kind, file, examples, members };
    of.set(key, found);
    return found;
  };
  const membersOf = (module) => checker.getExportsOfModule(module).map(described);
  return new Map(
    program.getRootFileNames().map((path) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(path));
      return [relative(root, path).replaceAll("\\", "/"), membersOf(module)];
    }),
  );
}

/** What the compiler says about programs in these files, with the program of the entries as a start. */
export function complaintsAbout(files, before) {
  const { fileNames, options } = settings();
  const program = ts.createProgram([...fileNames, ...files], options, undefined, before);
  const found = files.flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return found.map(({ file, start, messageText }) => {
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    return `${relative(root, file.fileName)}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
