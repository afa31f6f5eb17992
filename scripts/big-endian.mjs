/**
 * The import on a machine whose memory is big-endian: Node for s390x, under the emulator of QEMU.
 *
 *   import { bigEndian } from "./big-endian.mjs";
 *   console.log(await bigEndian(pathToFileURL(join(release, "run.js")).href));
 *
 * Takes the address of a module that imports the package. Returns a line for a table: that the import was refused, or why nothing could
 * be run; `apt-get install qemu-user libc6-s390x-cross libstdc++6-s390x-cross` gives the emulator and the libraries that Node needs.
 * Throws where the import says anything else.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached } from "./cache.mjs";

const NODE = "20.11.0";
const EMULATOR = "qemu-s390x";
const LIBRARIES = "/usr/s390x-linux-gnu";
const EXPECTED = "jarvis-snn needs a little-endian machine";

const run = promisify(execFile);

export async function bigEndian(module) {
  const name = `Node ${NODE}, s390x`;
  const hasEmulator = await run(EMULATOR, ["--version"]).then(
    () => existsSync(LIBRARIES),
    () => false,
  );
  if (!hasEmulator) return `${name}: not run, as ${EMULATOR} or ${LIBRARIES} is missing`;
  // Without force, npm refuses packages for another processor.
  process.env.npm_config_force = "true";
  const folder = cached("s390x", { "node-s390x": `npm:node-linux-s390x@${NODE}` });
  delete process.env.npm_config_force;
  const node = join(folder, "node_modules/node-s390x/bin/node");
  const program = `import(${JSON.stringify(module)}).then(() => console.log("imported"), (error) => console.log(error.message));`;
  const { stdout } = await run(EMULATOR, ["-L", LIBRARIES, node, "--input-type=module", "--eval", program]);
  if (!stdout.startsWith(EXPECTED)) throw new Error(`${name}: expected "${EXPECTED} …", got "${stdout.trim()}"`);
  return `${name}: refused, as it should be`;
}
