/** npm run demo -- NAME runs a demo with the flags behind its name; without a name, or with --help, the demos are listed. */
import { DEMOS, listed } from "./list.ts";
import { nearest } from "./nearest.ts";
import { FlagError } from "./options.ts";

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
  console.log(
    `npm run demo -- NAME runs a demo, npm run demo -- NAME --help lists its flags. Times are CPU seconds.\n\n${listed()}`,
  );
} else {
  const meant = nearest(name, Object.keys(DEMOS));
  const hint = meant === null ? "" : `; did you mean npm run demo -- ${[meant, ...process.argv.slice(3)].join(" ")}?`;
  console.error(`demo: expected one of these names, got ${name}${hint}\n\n${listed()}`);
  process.exitCode = 2;
}
