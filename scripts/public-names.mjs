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

/** Sources by their paths, without which each program would parse all of them anew. */
const parsed = new Map();

/** The program of all entries, and of more files. */
export function programOfEntries(files = []) {
  const { fileNames, options } = settings();
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, ...rest) => {
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest));
    return parsed.get(path);
  };
  return ts.createProgram([...fileNames, ...files], options, host);
}

/** A fenced block behind `@example`. */
const EXAMPLE = /^@example\n```ts\n(.*?)^```$/gms;

function commentsOf(symbol) {
  const comments = (symbol.declarations ?? []).flatMap((declaration) => ts.getJSDocCommentsAndTags(declaration));
  // Declarations that share a statement share its comment.
  const texts = comments.filter(ts.isJSDoc).map((comment) => comment.getText());
  return [...new Set(texts)].map((text) => text.replace(/^\/\*\* ?|^[ \t]*\* ?|\s*\*\/$/gm, ""));
}

/** Whether an export has no value. */
function isTypeAlone(exported, symbol) {
  const isSpecifier = (each) => ts.isExportSpecifier(each) && ts.isTypeOnlyExportDeclaration(each);
  return (symbol.flags & ts.SymbolFlags.Value) === 0 || (exported.declarations ?? []).some(isSpecifier);
}

/** Whether a program can make objects of the value, call it, or read it. */
function kindOf(checker, symbol) {
  const type = checker.getTypeOfSymbol(symbol);
  if (type.getConstructSignatures().length > 0) return "class";
  return type.getCallSignatures().length > 0 ? "function" : "constant";
}

/**
 * The names that each entry exports, by the path of its source, such as `snn/index.ts`: of each the `kind` ("class", "function", "constant",
 * "namespace" or "type"), the `file` of its declaration, the programs of its `examples`, and of a namespace the `members`. The compiler looks
 * for the type of a value, which takes it long, where the kind is read.
 */
export function publicNames(program) {
  const checker = program.getTypeChecker();
  const known = new Map();
  const described = (exported) => {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    const isType = isTypeAlone(exported, symbol);
    const key = `${isType} ${exported.name}`;
    const of = known.get(symbol) ?? known.set(symbol, new Map()).get(symbol);
    if (of.has(key)) return of.get(key);
    const [declaration] = symbol.declarations ?? [];
    const file = relative(root, declaration.getSourceFile().fileName).replaceAll("\\", "/");
    const examples = commentsOf(symbol).flatMap((text) => [...text.matchAll(EXAMPLE)].map(([, code]) => code));
    const isNamespace = !isType && (symbol.flags & ts.SymbolFlags.ValueModule) !== 0;
    const found = {
      name: exported.name,
      get kind() {
        return isType ? "type" : isNamespace ? "namespace" : kindOf(checker, symbol);
      },
      file,
      examples,
      members: isNamespace ? membersOf(symbol) : [],
    };
    of.set(key, found);
    return found;
  };
  const membersOf = (module) => checker.getExportsOfModule(module).map(described);
  return new Map(
    settings().fileNames.map((path) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(path));
      return [relative(root, path).replaceAll("\\", "/"), membersOf(module)];
    }),
  );
}

/** What the compiler says about files of a program. */
export function complaintsAbout(program, files) {
  const found = files.flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return found.map(({ file, start, messageText }) => {
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    return `${relative(root, file.fileName)}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
