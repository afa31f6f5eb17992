/** The text of a program: without its types, and with the addresses of what it imports. */

/** A program in TypeScript as JavaScript: `types` are ranges `first-end`, in whose place come spaces, so that nothing moves. */
export function withoutTypes(program: string, types: string): string {
  let text = program;
  for (const [, first, end] of types.matchAll(/(\d+)-(\d+)/g)) {
    const erased = text.slice(Number(first), Number(end)).replace(/[^\n]/g, " ");
    text = text.slice(0, Number(first)) + erased + text.slice(Number(end));
  }
  return text;
}

/** An import from its word to the name of the module, both sides of the name apart. */
const IMPORT = /(^[ \t]*(?:import|export)\b[^;"'`]*|\bimport\(\s*)(["'])([^"'\n]*)\2/gm;

/** The names of the modules that a program imports, in its order. */
export const importedBy = (program: string): string[] =>
  Array.from(program.matchAll(IMPORT), ([, , , name = ""]) => name);

/** The program with addresses in the place of names; a name without one stays. */
export const withAddresses = (program: string, addresses: Readonly<Record<string, string>>): string =>
  program.replace(IMPORT, (whole, before: string, quote: string, name: string) =>
    Object.hasOwn(addresses, name) ? before + quote + addresses[name] + quote : whole,
  );

/** The program with spaces in the place of its imports, which stand in modules alone. */
export const withoutImports = (program: string): string =>
  program.replace(/^[ \t]*import\b[^;"'`(]*(["'])[^"'\n]*\1/gm, (whole) => whole.replace(/[^\n]/g, " "));
