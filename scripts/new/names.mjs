/** Names of new things, as files and classes have them. */

/** QuadraticIF → quadratic-if */
export const fileOf = (name) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();

/** Names of classes: QuadraticIF, which snn/neurons/quadratic-if.ts exports. */
export const ofClass = {
  pattern: /^[A-Z][A-Za-z0-9]*$/,
  looks: "in letters and digits that begin with a capital",
  names: (name) => ({ name, file: fileOf(name), exported: name }),
};

/** Of functions: fastSigmoid. */
export const ofFunction = {
  pattern: /^[a-z][A-Za-z0-9]*$/,
  looks: "in letters and digits that begin with a small one",
  names: (name) => ({ name, file: fileOf(name), exported: name }),
};
