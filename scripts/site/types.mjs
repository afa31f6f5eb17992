/** Types of TypeDoc's model as HTML, whose names lead to their pages. */
import { escapeHtml } from "./markdown.mjs";

const isLetter = /^[\w$]+$/;

/** A printer of types, for which `link` gives the address of the reflection of a number, or undefined. */
export function typePrinter(link) {
  const list = (types, between) => types.map(print).join(between);

  const named = (text, target) => {
    const address = typeof target === "number" ? link(target) : undefined;
    return address === undefined ? escapeHtml(text) : `<a href="${address}">${escapeHtml(text)}</a>`;
  };

  const parametersOf = ({ parameters = [] }) =>
    parameters
      .map(({ name, flags, type, defaultValue }) => {
        const isOptional = flags?.isOptional || defaultValue !== undefined;
        return `${flags?.isRest ? "..." : ""}${escapeHtml(name)}${isOptional ? "?" : ""}: ${print(type)}`;
      })
      .join(", ");

  const object = ({ children = [], indexSignatures = [], signatures }) => {
    if (signatures !== undefined)
      return signatures.map((each) => `(${parametersOf(each)}) =&gt; ${print(each.type)}`).join(" &amp; ");
    const members = children.map((child) => {
      const key = `${child.flags?.isReadonly ? "readonly " : ""}${escapeHtml(child.name)}${child.flags?.isOptional ? "?" : ""}`;
      const [method] = child.signatures ?? [];
      return method === undefined
        ? `${key}: ${print(child.type)}`
        : `${key}(${parametersOf(method)}): ${print(method.type)}`;
    });
    const indices = indexSignatures.map((each) => `[${parametersOf(each)}]: ${print(each.type)}`);
    return [...indices, ...members].length === 0 ? "{}" : `{ ${[...indices, ...members].join("; ")} }`;
  };

  const inner = (type) =>
    ["union", "intersection", "conditional", "reflection"].includes(type.type) ? `(${print(type)})` : print(type);

  function print(type) {
    switch (type?.type) {
      case undefined:
        return "any";
      case "intrinsic":
        return escapeHtml(type.name);
      case "literal":
        return escapeHtml(type.value === null ? "null" : JSON.stringify(type.value));
      case "reference": {
        const args = type.typeArguments?.length ? `&lt;${list(type.typeArguments, ", ")}&gt;` : "";
        return named(type.name, type.target) + args;
      }
      case "array":
        return `${inner(type.elementType)}[]`;
      case "union":
        return list(type.types, " | ");
      case "intersection":
        return list(type.types, " &amp; ");
      case "tuple":
        return `[${list(type.elements ?? [], ", ")}]`;
      case "namedTupleMember":
        return `${escapeHtml(type.name)}${type.isOptional ? "?" : ""}: ${print(type.element)}`;
      case "optional":
        return `${print(type.elementType)}?`;
      case "rest":
        return `...${print(type.elementType)}`;
      case "typeOperator":
        return `${type.operator} ${inner(type.target)}`;
      case "indexedAccess":
        return `${inner(type.objectType)}[${print(type.indexType)}]`;
      case "query":
        return `typeof ${print(type.queryType)}`;
      case "inferred":
        return `infer ${escapeHtml(type.name)}`;
      case "conditional":
        return `${print(type.checkType)} extends ${print(type.extendsType)} ? ${print(type.trueType)} : ${print(type.falseType)}`;
      case "mapped":
        return `{ [${escapeHtml(type.parameter)} in ${print(type.parameterType)}]${type.optionalModifier === "+" ? "?" : ""}: ${print(type.templateType)} }`;
      case "predicate":
        return `${escapeHtml(type.name)} is ${print(type.targetType)}`;
      case "reflection":
        return object(type.declaration);
      default:
        throw new Error(`site: expected a type that the printer knows, got ${type.type}`);
    }
  }

  /** A member name as it is written: in quotes where it is no word. */
  const key = (name) => (isLetter.test(name) ? escapeHtml(name) : escapeHtml(JSON.stringify(name)));
  return { print, parametersOf, key };
}
