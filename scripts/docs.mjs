/**
 * API documentation of every entry of the package, in docs/api. Defects are errors: a broken link, a type that is shown but not exported, a
 * public name without a comment.
 *
 * Four things are done to the model here: methods of tensors take the comments of the functions of the same names, parameters have names,
 * parts of a neuron's equation link to it, and indented lines, which are equations, keep their layout.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  Application,
  Comment,
  Converter,
  ParameterReflection,
  ReflectionFlag,
  ReflectionKind,
  TSConfigReader,
} from "typedoc";
import { entries, root } from "./entries.mjs";
import { unlessFresh } from "./fresh.mjs";

const PAGES = "docs/api";
const JSON_FILE = "build/api.json";

/** A constant or property whose value is a function, as that function. */
function asFunction(project, reflection, kind) {
  const literal = reflection.type?.declaration;
  if (!literal?.signatures) return;
  reflection.kind = kind;
  reflection.signatures = literal.signatures;
  for (const signature of reflection.signatures) {
    signature.parent = reflection;
    signature.name = reflection.name;
    signature.comment ??= reflection.comment;
  }
  delete reflection.comment;
  delete reflection.type;
  delete literal.signatures;
  project.removeReflection(literal);
}

/** Ops as functions, and as methods of tensors with the same comments and the parameters after the tensor. */
function joinOps(project) {
  const { children } = project.getChildByName("jarvis-snn/engine");
  for (const op of children) if (op.kindOf(ReflectionKind.Variable)) asFunction(project, op, ReflectionKind.Function);
  const ops = new Map(children.flatMap(({ name, signatures }) => (signatures ? [[name, signatures[0]]] : [])));
  const tensor = children.find(({ name }) => name === "Tensor");
  delete tensor.extendedTypes; // the interface that lists the methods
  for (const method of tensor.children) {
    if (!method.kindOf(ReflectionKind.Property)) continue;
    const op = ops.get(method.name);
    method.comment ??= op?.comment?.clone();
    asFunction(project, method, ReflectionKind.Method);
    if (method.signatures) writeOutRest(project, method.signatures[0], op?.parameters?.slice(1) ?? []);
  }
}

/** The arguments that a method passes on, as parameters; the declaration of the op shows which have defaults. */
function writeOutRest(project, signature, declared) {
  const rest = signature.parameters[0];
  signature.parameters = rest.type.elements.map((element, i) => {
    const name = element.type === "namedTupleMember" ? element.name : "options";
    const parameter = new ParameterReflection(name, ReflectionKind.Parameter, signature);
    parameter.type = element.element ?? element.elementType ?? element;
    const { flags, defaultValue } = declared[i] ?? {};
    if (defaultValue !== undefined) parameter.defaultValue = defaultValue;
    if (flags?.isOptional || element.isOptional) parameter.setFlag(ReflectionFlag.Optional);
    project.registerReflection(parameter);
    return parameter;
  });
  project.removeReflection(rest);
}

/** Arguments that are taken apart are options. */
function nameOptions(project) {
  for (const reflection of Object.values(project.reflections)) {
    if (reflection.name === "__namedParameters") reflection.name = "options";
  }
}

/**
 * States, parameters, choices and outputs of a neuron, choices of a rule, and options of these names, stand in the comment of the class.
 */
function pointToEquations(project) {
  const hasEquation = ({ type, children: members }) =>
    type?.name === "NeuronClass" || type?.name === "RuleClass" || members?.some(({ name }) => name === "initialState");
  const classes = ["jarvis-snn/snn", "jarvis-snn/quantize"].flatMap((entry) =>
    project.getChildByName(entry).children.filter(hasEquation),
  );
  for (const reflection of Object.values(project.reflections)) {
    if (!reflection.kindOf(ReflectionKind.Property) || reflection.hasComment()) continue;
    const path = reflection.getFullName();
    const of = classes.find((each) => [".", "Options."].some((end) => path.startsWith(`${each.getFullName()}${end}`)));
    if (of !== undefined) reflection.comment = new Comment([{ kind: "text", text: `See the equation of ${of.name}.` }]);
  }
}

/** Lines that are indented by two spaces become a block of code. */
function keepEquations(project) {
  for (const { comment } of Object.values(project.reflections)) {
    for (const part of comment?.summary ?? []) {
      part.text = part.text.replace(/(?<=\n\n)(?: {2,}.+(?:\n|$))+/g, (lines) => {
        const code = lines.trimEnd().replace(/^ {2}/gm, "");
        return `\`\`\`text\n${code}\n\`\`\`\n`;
      });
    }
  }
}

/** Writes the model of all public names as JSON; returns it, and the application that made it. Throws if it has defects. */
async function writeModel() {
  const app = await Application.bootstrap(
    {
      // The entry that joins others comes last, since a name is documented at its first occurrence.
      entryPoints: Object.values(entries()).reverse(),
      tsconfig: join(root, "tsconfig.docs.json"),
      readme: join(root, "README.md"),
      excludeInternal: true,
      excludeProtected: true,
      disableSources: true, // links into a repository would depend on how it was cloned
      skipErrorChecking: true, // `npm run types` checks types
      // A constant whose keys are a type, and parts of types.
      intentionallyNotExported:
        "PATTERNS None Words Run Sources Flags All Required Optional Given WithoutMembers".split(" "),
      validation: { invalidLink: true, notDocumented: true, notExported: true, rewrittenLink: true },
      requiredToBeDocumented: [
        "Module",
        "Namespace",
        "Variable",
        "Function",
        "Class",
        "Interface",
        "TypeAlias",
        "Property",
        "Method",
        "Accessor",
      ],
    },
    [new TSConfigReader()],
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    joinOps(project);
    nameOptions(project);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    keepEquations(project);
    pointToEquations(project);
  });

  const project = await app.convert();
  app.validate(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error("docs: expected a reference without errors and warnings, got those above");
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, JSON_FILE), JSON.stringify(app.serializer.projectToObject(project, root)));
  return { app, project };
}

const MODEL = {
  name: "the reference",
  stamp: "build/api.sha256",
  inputs: [
    ...["index.ts", "core.ts", "engine", "snn", "kernels", "platform.d.ts", "README.md", "package.json"],
    ...["tsconfig.base.json", "tsconfig.docs.json", "package-lock.json", "scripts/docs.mjs", "scripts/entries.mjs"],
  ],
  outputs: [JSON_FILE],
  make: writeModel,
};

/** The model of all public names as JSON, made again where a source has changed. */
export async function apiJson() {
  await unlessFresh(MODEL);
  return JSON.parse(readFileSync(join(root, JSON_FILE), "utf8"));
}

async function writePages() {
  const { app, project } = await writeModel();
  rmSync(join(root, PAGES), { recursive: true, force: true });
  await app.generateDocs(project, join(root, PAGES));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await unlessFresh({ ...MODEL, outputs: [JSON_FILE, `${PAGES}/index.html`], make: writePages });
}
