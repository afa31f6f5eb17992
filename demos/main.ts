/** npm run demo -- NAME runs a demo with the flags behind its name; without a name, or with --help, the demos are listed. */
import { nearest } from "jarvis-snn/extend";
import { DEMOS, listed } from "./list.ts";
import { FlagError } from "./options.ts";
import { columnsOf, wrapped } from "./terminal.ts";

const [name = "--help"] = process.argv.slice(2);

if (Object.hasOwn(DEMOS, name)) {
  process.argv.splice(2, 1); // a demo reads its flags from there
  try {
    await import(`./${name}/main.ts`);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
} else if (name === "--help" || name === "-h") {
  const head = [
    "npm run demo -- NAME         \truns a demo",
    "npm run demo -- NAME --help  \tlists its flags",
    "Times are CPU seconds.",
  ].join("\n");
  console.log(wrapped(`${head}\n\n${listed()}`));
} else {
  const meant = nearest(name, Object.keys(DEMOS));
  const hint = meant === null ? "" : `; did you mean npm run demo -- ${[meant, ...process.argv.slice(3)].join(" ")}?`;
  console.error(
    wrapped(`demo: expected one of these names, got ${name}${hint}\n\n${listed()}`, columnsOf(process.stderr)),
  );
  process.exitCode = 2;
}
