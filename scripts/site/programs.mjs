/** Programs of the pages: which of them run in a page, and where their types stand. */
import blank from "ts-blank-space";

/** Languages of programs, which a reader may want to copy. */
const LANGUAGES = ["ts", "js", "jsx", "html", "python"];

/** What a page does not have: files, threads and other packages, also those that the package asks for. */
const ELSEWHERE =
  /(?:^import\b[^;"]*|\bimport\()"(?!jarvis-snn(?:\/(?!node"|threads"|plot")[\w-]+)?")|\b(?:read|write)NIR\(/m;

export const isProgram = (language) => LANGUAGES.includes(language);

/** A program that needs no file and no other package; what it prints stands below it, so that a reader sees whether it did. */
export const isRunnable = (language, code, printed) =>
  language === "ts" && printed !== undefined && /^import\b[^;"]*"jarvis-snn/m.test(code) && !ELSEWHERE.test(code);

/** The types of a program, `first-end` for each: with spaces in their place it is JavaScript, in which nothing has moved. */
export function typesIn(code) {
  const plain = blank(code, (node) => {
    throw new Error(`site: expected types that can be erased, got ${node.getText()} in\n${code}`);
  });
  const isErased = (i) => code[i] !== plain[i];
  const ranges = [];
  for (let i = 0; i < code.length; i++) {
    if (!isErased(i)) continue;
    if (plain[i] !== " ")
      throw new Error(`site: expected a space in the place of ${code[i]}, got ${plain[i]} in\n${code}`);
    const first = i;
    while (i < code.length && isErased(i)) i++;
    ranges.push(`${first}-${i}`);
  }
  return ranges.join(" ");
}
