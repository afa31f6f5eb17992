/** NIR files of the fixtures, and those of the paper on NIR, which are other people's and are not in the repository. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const fixtures = fileURLToPath(new URL("../fixtures/nir", import.meta.url));
const { GOLDENS = "" } = process.env;

/** A file beside the goldens of NIR, from $GOLDENS where the same file is there. */
export function readFixture(file: string): Uint8Array {
  const other = join(GOLDENS, "nir", file);
  return new Uint8Array(readFileSync(GOLDENS !== "" && existsSync(other) ? other : join(fixtures, file)));
}

/** The folder with the files of the paper, if it is there: $GOLDENS/nir/paper, or in a folder beside the project. */
export const paperFolder = [join(GOLDENS, "nir/paper"), join(fixtures, "../../../../shared/goldens/nir/paper")].find(
  (folder, i) => (i > 0 || GOLDENS !== "") && existsSync(folder),
);
