/** The reference of all public names as pages, from TypeDoc's model: one for each entry, and one for each name. */
import { ReflectionKind } from "typedoc";
import { relative } from "./frame.mjs";
import { escapeHtml, render } from "./markdown.mjs";
import { typePrinter } from "./types.mjs";

/** Categories of names by the files that declare them, in the order of the pages of entries; the first that fits counts. */
const CATEGORIES = [
  ["Neurons", /^snn\/(neurons?\/|quantize\/convert\/spiking-relu)|^engine\/fuse\//],
  ["Layers", /^engine\/nn\/|^snn\/(layer|recurrent|temporal)\//],
  ["Encoders and targets", /^snn\/coding\//],
  ["Surrogates", /^snn\/surrogates\//],
  ["Losses", /^engine\/ops\/(loss|reduction)\.|^snn\/losses\/(activity|losses|options|targets|temporal)\./],
  ["Readouts and metrics", /^snn\/losses\//],
  ["Optimizers", /^engine\/optim\/(?!cosine|decays|one-cycle|plateau|scheduler)/],
  ["Schedules", /^engine\/optim\//],
  ["Data", /^engine\/data\//],
  ["Training", /^engine\/(train|checkpoint|node)\./],
  ["Probes", /^snn\/probes\//],
  ["Learning rules", /^snn\/learning\//],
  ["Streams", /^snn\/stream\//],
  ["Other packages", /^snn\/(python\.|nir\/)/],
  ["Recordings", /^snn\/events\/(formats|input|read|recording|shd|spikes|write)\./],
  ["Frames and surfaces", /^snn\/events\/(frames|slices|surfaces)\./],
  ["Augmentation and filters", /^snn\/events\/(augmentation|filters|random)\./],
  ["Simulated camera", /^snn\/events\/camera\./],
  ["Sound", /^snn\/audio\/(resample|wav)\./],
  ["Filters and spectra", /^snn\/audio\/(gammatone|mel|spectrogram)\./],
  ["Spikes of sound", /^snn\/audio\//],
  ["Fewer bits", /^snn\/quantize\/(file|grid|int8|levels|quantize|weights)\./],
  ["Pruning", /^snn\/quantize\/prune\./],
  ["Conversion", /^snn\/quantize\/convert\//],
  ["Cost", /^snn\/quantize\//],
  ["Charts", /^snn\/plot\//],
  ["Threads", /^engine\/threads\//],
  ["Tensors", /^engine\/(core\/)?(create|generator|shape|tensor)\./],
  ["Ops", /^engine\/ops\//],
  ["Tape and memory", /^engine\/((core|outside)\/)?(gradcheck|memory|persist|tape|warmup)\./],
  ["Parts of an op", /^engine\/((core|forms)\/)?(backend|extend|gradient|nearest|op|saves|scope|shortcuts|values)\./],
  ["Kernels", /^engine\/(core\/)?(arithmetic|descriptors|kernels|relaxed|wasm)\.|^kernels\//],
];

/** Constants of these types are classes: those that `neuron` and `plasticity` make. */
const CLASS_TYPES = ["NeuronClass", "RuleClass"];

function kindOf({ kind, type }) {
  if (kind === ReflectionKind.Variable) return CLASS_TYPES.includes(type?.name) ? "class" : "constant";
  if (kind === ReflectionKind.Function) return "function";
  if (kind === ReflectionKind.Class) return "class";
  if (kind === ReflectionKind.Namespace) return "namespace";
  if (kind === ReflectionKind.Interface) return "interface";
  return "type";
}

/** The category of a name, by the file that declares it. */
function categoryOf({ symbolIdMap }, { id, name }) {
  const { packagePath } = symbolIdMap[id];
  const found = CATEGORIES.find(([, files]) => files.test(packagePath));
  if (found === undefined) throw new Error(`site: expected a category for ${packagePath}, which declares ${name}`);
  return found[0];
}

const shortOf = (module) => module.name.replace(/^jarvis-snn\//, "");

/** The entry from which programs import: what engine and snn have, the complete one has too. */
const importedFrom = (module) => (/\/(engine|snn)$/.test(module.name) ? "jarvis-snn" : module.name);

/** The first sentence of a comment, as plain words; a colon before an equation ends it too. */
function firstSentence(comment) {
  const text = (comment?.summary ?? []).map(({ text }) => text.replaceAll("`", "")).join("");
  const [paragraph] = text.split("\n\n");
  return (/^[\s\S]*?\.(?=\s|$)/.exec(paragraph)?.[0] ?? paragraph).replace(/\s+/g, " ").trim().replace(/:$/, ".");
}

const commentOf = (reflection) => reflection.comment ?? reflection.signatures?.[0]?.comment;

/** A type alias of the instances of a class of the same name says nothing of its own. */
const isInstanceOf = ({ kind, name }, all) =>
  kind === ReflectionKind.TypeAlias &&
  all.some((other) => other.name === name && other.kind === ReflectionKind.Variable);

/**
 * The pages of the reference, each with path, title, description, html, headings and sections for the search, and `names`: the path of the
 * page of each public name. `guidesOf` gives the sections of documents that tell of a name, as path and name.
 */
export function apiPages(model, guidesOf) {
  const modules = model.children.filter(({ children }) => (children?.length ?? 0) > 0);
  const places = new Map();
  const names = new Map();
  /** Items by the ids of their reflections, and members of namespaces by their own. */
  const known = new Map();
  const members = new Map();
  const entries = modules.map((module) => {
    const short = shortOf(module);
    const taken = new Set(["index"]);
    const items = module.children
      .filter((child) => child.kind !== ReflectionKind.Reference && !isInstanceOf(child, module.children))
      .map((reflection) => {
        const kind = kindOf(reflection);
        // Files that differ in capitals alone are one file for some systems.
        const lower = reflection.name.toLowerCase();
        const file = taken.has(lower) ? `${reflection.name}-${kind}` : reflection.name;
        taken.add(lower);
        const path = `api/${short}/${file}.html`;
        note(reflection, path);
        if (!names.has(reflection.name) || kind === "class") names.set(reflection.name, path);
        const item = { reflection, kind, path, category: categoryOf(model, reflection) };
        known.set(reflection.id, item);
        return item;
      });
    return { module, short, path: `api/${short}/index.html`, items };
  });

  function note(reflection, path) {
    places.set(reflection.id, path);
    for (const signature of reflection.signatures ?? []) places.set(signature.id, path);
    for (const child of reflection.children ?? []) {
      members.set(child.id, child);
      places.set(child.id, `${path}#${child.name}`);
      for (const signature of child.signatures ?? []) places.set(signature.id, `${path}#${child.name}`);
    }
  }

  /** The names of an entry: its own, and those of other entries that it exports too. */
  const exportedBy = ({ module, items }) => [
    ...items,
    ...module.children.flatMap((child) =>
      child.kind === ReflectionKind.Reference ? (known.get(child.target) ?? []) : [],
    ),
  ];

  for (const module of model.children) {
    places.set(module.id, entries.find((entry) => entry.module === module)?.path ?? "api/index.html");
  }

  const groups = [
    {
      title: "Entries",
      pages: [
        { path: "api/index.html", name: "All entries" },
        ...entries.map(({ module, path }) => ({ path, name: module.name })),
      ],
    },
  ];

  function pageAt(path, title, description, body) {
    const to = (target) => relative(path, target);
    const printer = typePrinter((id) => (places.has(id) ? to(places.get(id)) : undefined));
    const source = (parts = []) =>
      parts
        .map((part) => {
          if (part.kind !== "inline-tag") return part.text;
          const place = typeof part.target === "number" ? places.get(part.target) : undefined;
          return place === undefined ? `\`${part.text}\`` : `[\`${part.text.replaceAll("`", "")}\`](${to(place)})`;
        })
        .join("");
    const markdown = (parts) =>
      parts === undefined ? "" : render(source(parts), { link: (href) => href, name: () => undefined }).html;
    const headings = [];
    const heading = (level, text, id) => {
      headings.push({ level, heading: text, id });
      return `<h${level} id="${id}">${escapeHtml(text)}<a class="anchor" href="#${id}" aria-label="Link to this section">#</a></h${level}>\n`;
    };
    const html = body({ to, printer, markdown, heading });
    return {
      path,
      title,
      description,
      html,
      headings,
      groups,
      sections: [{ heading: title, id: "", words: description }],
    };
  }

  const tagsOf = (comment, tag) => (comment?.blockTags ?? []).filter((each) => each.tag === tag);

  /** A comment with its sections. */
  function told(comment, { markdown }) {
    if (comment === undefined) return "";
    const part = (tag, title) => {
      const all = tagsOf(comment, tag);
      return all.length === 0
        ? ""
        : `<section class="tag"><p class="label">${title}</p>${all.map(({ content }) => markdown(content)).join("")}</section>\n`;
    };
    return (
      markdown(comment.summary) +
      part("@example", "Example") +
      part("@returns", "Returns") +
      part("@throws", "Throws") +
      part("@see", "Source")
    );
  }

  function signature(name, each, { printer, markdown }) {
    const parameters = each.typeParameter ?? each.typeParameters ?? [];
    const generic =
      parameters.length === 0 ? "" : `&lt;${parameters.map(({ name: T }) => escapeHtml(T)).join(", ")}&gt;`;
    const line = `${escapeHtml(name)}${generic}(${printer.parametersOf(each)}): ${printer.print(each.type)}`;
    const rows = (each.parameters ?? []).map(({ name: parameter, type, comment, defaultValue, flags }) => {
      const value =
        defaultValue === undefined || defaultValue === "..." ? "" : `<code>${escapeHtml(defaultValue)}</code>`;
      return `<tr><td><code>${escapeHtml(parameter)}${flags?.isOptional ? "?" : ""}</code></td><td><code>${printer.print(type)}</code></td><td>${value}</td><td>${markdown(comment?.summary)}</td></tr>`;
    });
    const head = "<thead><tr><th>Parameter</th><th>Type</th><th>Default</th><th>Meaning</th></tr></thead>";
    const table =
      rows.length === 0
        ? ""
        : `<div class="wide" tabindex="0"><table>${head}<tbody>${rows.join("")}</tbody></table></div>\n`;
    return `<pre class="signature" tabindex="0"><code>${line}</code></pre>\n${table}`;
  }

  const signaturesOf = (name, { signatures = [] }, tools) =>
    signatures.map((each) => signature(name, each, tools) + told(each.comment, tools)).join("");

  /** Properties as a table. */
  function properties(children, tools) {
    const { printer } = tools;
    const rows = children.map((child) => {
      const { name, flags, type, comment, getSignature, defaultValue } = child;
      const [method] = child.signatures ?? [];
      const shown =
        method === undefined
          ? printer.print(type ?? getSignature?.type)
          : `(${printer.parametersOf(method)}) =&gt; ${printer.print(method.type)}`;
      const marks = `${flags?.isOptional ? "?" : ""}`;
      const value =
        defaultValue === undefined || defaultValue === "..." ? "" : ` = <code>${escapeHtml(defaultValue)}</code>`;
      const words = told(comment ?? getSignature?.comment ?? method?.comment, tools);
      return `<tr id="${escapeHtml(name)}"><td><code>${printer.key(name)}${marks}</code></td><td><code>${shown}</code>${value}</td><td>${words}</td></tr>`;
    });
    return `<div class="wide" tabindex="0"><table class="properties"><thead><tr><th>Name</th><th>Type</th><th>Meaning</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>\n`;
  }

  function membersOf(reflection, tools) {
    const { heading, to } = tools;
    const all = (reflection.children ?? []).filter(({ kind }) => kind !== ReflectionKind.Constructor);
    const own = all.filter(({ inheritedFrom }) => inheritedFrom === undefined);
    const isMethod = ({ kind }) => kind === ReflectionKind.Method;
    const values = own.filter((each) => !isMethod(each));
    const methods = own.filter(isMethod);
    const inherited = all.filter(({ inheritedFrom }) => inheritedFrom !== undefined);
    let html = "";
    for (const each of (reflection.children ?? []).filter(({ kind }) => kind === ReflectionKind.Constructor)) {
      html += heading(2, "Constructor", "constructor") + signaturesOf(`new ${reflection.name}`, each, tools);
    }
    if (values.length > 0) html += heading(2, "Properties", "properties") + properties(values, tools);
    if (methods.length > 0) html += heading(2, "Methods", "methods");
    for (const each of methods) html += heading(3, each.name, each.name) + signaturesOf(each.name, each, tools);
    if (inherited.length > 0) {
      const links = inherited.map((each) => {
        const place = places.get(each.inheritedFrom?.target);
        const code = `<code id="${escapeHtml(each.name)}">${escapeHtml(each.name)}</code>`;
        return place === undefined ? code : `<a href="${to(place)}">${code}</a>`;
      });
      html += `${heading(2, "Inherited", "inherited")}<p>${links.join(", ")}</p>\n`;
    }
    return html;
  }

  function bodyOf(module, { reflection, kind }) {
    return (tools) => {
      const { printer, to } = tools;
      const { name, type } = reflection;
      const from = importedFrom(module);
      let html = `<p class="kind">${kind} of <a href="${to(`api/${shortOf(module)}/index.html`)}">${module.name}</a></p>\n<h1>${escapeHtml(name)}</h1>\n`;
      html += `<pre class="import" tabindex="0"><code>import { ${kind === "interface" || kind === "type" ? "type " : ""}${escapeHtml(name)} } from "${from}";</code></pre>\n`;
      if (kind === "function") html += signaturesOf(name, reflection, tools);
      else html += told(reflection.comment, tools);
      if (kind === "constant" || kind === "type")
        html += `<pre class="signature" tabindex="0"><code>${escapeHtml(name)}${kind === "type" ? " =" : ":"} ${printer.print(type)}</code></pre>\n`;
      else if (kind === "class" && reflection.kind === ReflectionKind.Variable)
        html += `<pre class="signature" tabindex="0"><code>${escapeHtml(name)}: ${printer.print(type)}</code></pre>\n`;
      else if (kind === "interface") {
        const { indexSignatures = [] } = reflection;
        html += indexSignatures
          .map(
            (each) =>
              `<pre class="signature" tabindex="0"><code>[${printer.parametersOf(each)}]: ${printer.print(each.type)}</code></pre>${told(each.comment, tools)}`,
          )
          .join("");
        html += signaturesOf(name, reflection, tools);
        if (reflection.children?.length) html += properties(reflection.children, tools);
      } else if (kind === "class") html += membersOf(reflection, tools);
      else if (kind === "namespace") {
        for (const child of reflection.children ?? []) {
          const each = child.kind === ReflectionKind.Reference ? members.get(child.target) : child;
          html += tools.heading(2, each.name, each.name);
          html += each.signatures
            ? signaturesOf(`${name}.${each.name}`, each, tools)
            : told(each.comment, tools) +
              (each.type ? `<pre class="signature" tabindex="0"><code>${printer.print(each.type)}</code></pre>` : "");
        }
      }
      const guides = guidesOf(name);
      if (guides.length > 0) {
        const links = guides.map(({ path, name: title }) => `<li><a href="${to(path)}">${escapeHtml(title)}</a></li>`);
        html += `${tools.heading(2, "In the documents", "in-the-documents")}<ul>${links.join("")}</ul>\n`;
      }
      return html;
    };
  }

  const list = (items, to) =>
    `<dl class="names">${items
      .map(
        ({ reflection, path }) =>
          `<dt><a href="${to(path)}"><code>${escapeHtml(reflection.name)}</code></a></dt><dd>${escapeHtml(firstSentence(commentOf(reflection)))}</dd>`,
      )
      .join("\n")}</dl>\n`;

  const isType = ({ kind }) => kind === "interface" || kind === "type";

  /** Names of a category: values with their first sentences, and the types that belong to them. */
  function categoryHtml(title, items, { heading, to }) {
    const byName = items.toSorted((a, b) => a.reflection.name.localeCompare(b.reflection.name, "en"));
    const values = byName.filter((item) => !isType(item));
    const types = byName
      .filter(isType)
      .map(({ reflection, path }) => `<a href="${to(path)}"><code>${escapeHtml(reflection.name)}</code></a>`);
    return (
      heading(2, title, title.toLowerCase().replaceAll(" ", "-")) +
      (values.length === 0 ? "" : list(values, to)) +
      (types.length === 0 ? "" : `<p>Types: ${types.join(", ")}</p>\n`)
    );
  }

  const entryPages = entries.map((entry) => {
    const { module, path } = entry;
    return pageAt(path, module.name, firstSentence(module.comment) || `The names of ${module.name}.`, (tools) => {
      const items = exportedBy(entry);
      const categories = CATEGORIES.map(([title]) => {
        const mine = items.filter(({ category }) => category === title);
        return mine.length === 0 ? "" : categoryHtml(title, mine, tools);
      });
      return `<h1>${module.name}</h1>\n${told(module.comment, tools)}${categories.join("")}`;
    });
  });

  const index = pageAt(
    "api/index.html",
    "API reference",
    "All entries of the package, with the names that each exports.",
    ({ to, markdown }) => {
      const rows = model.children.map((module) => {
        const entry = entries.find((each) => each.module === module);
        const name = `<code>${module.name}</code>`;
        const link = entry === undefined ? name : `<a href="${to(entry.path)}">${name}</a>`;
        return `<dt>${link}</dt><dd>${markdown(module.comment?.summary)}</dd>`;
      });
      return `<h1>API reference</h1>\n<dl class="names">${rows.join("\n")}</dl>\n`;
    },
  );

  const pages = entries.flatMap(({ module, items }) =>
    items.map((item) =>
      pageAt(item.path, item.reflection.name, firstSentence(commentOf(item.reflection)), bodyOf(module, item)),
    ),
  );
  return { pages: [index, ...entryPages, ...pages], names };
}
