/** Size of a source: lines of code, functions with their lengths, exported names. */
import ts from "typescript";

/** Lines that are neither blank nor comments. */
export function codeLines(source) {
  let [lines, isComment] = [0, false];
  for (const line of source.split("\n").map((line) => line.trim())) {
    if (isComment) isComment = !line.includes("*/");
    else if (line.startsWith("/*")) {
      isComment = !line.includes("*/");
      if (!isComment && !line.endsWith("*/")) lines++;
    } else if (line !== "" && !line.startsWith("//")) lines++;
  }
  return lines;
}

export const parsed = (file, source) => ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);

/** All functions with a body, also those in others. */
export function functionsOf(tree) {
  const functions = [];
  const lineOf = (position) => tree.getLineAndCharacterOfPosition(position).line + 1;
  function visit(node) {
    if (ts.isFunctionLike(node) && node.body !== undefined) {
      const line = lineOf(node.getStart());
      const name = (node.name ?? node.parent.name)?.getText() ?? "(anonymous)";
      functions.push({ name, line, lines: lineOf(node.end) - line + 1 });
    }
    ts.forEachChild(node, visit);
  }
  visit(tree);
  return functions;
}

/** Names that the file itself declares and exports; re-exports count for their own files. */
export function exportsOf(tree) {
  const names = [];
  for (const statement of tree.statements) {
    const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
    if (!isExported) continue;
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) if (ts.isIdentifier(name)) names.push(name.text);
    } else if (statement.name !== undefined) names.push(statement.name.text);
  }
  return [...new Set(names)];
}
