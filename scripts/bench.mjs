/**
 * Runs every benchmark in a process of its own and prints what they print; `--write` puts it into the README, so that the
 * numbers there are those of one run of this command. Names after it select benchmarks: `npm run bench -- matmul`.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "build/bench");
const readme = join(root, "README.md");
const START = "<!-- bench: npm run bench -- --write -->";
const END = "<!-- /bench -->";

const args = process.argv.slice(2);
const write = args.includes("--write");
const wanted = args.filter((arg) => arg !== "--write");
const all = readdirSync(folder).filter((name) => name.endsWith(".bench.js"));
const chosen = wanted.length === 0 ? all : all.filter((name) => wanted.includes(name.replace(".bench.js", "")));
if (chosen.length === 0) throw new Error(`bench: expected some of ${all.join(", ")}, got ${wanted.join(", ")}`);

const outputs = [];
for (const name of chosen) {
  const output = execFileSync(process.execPath, [join(folder, name)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  console.log(output);
  outputs.push(output.trimEnd());
}

if (write) {
  const date = new Date().toISOString().slice(0, 10);
  const machine = `${cpus()[0].model.trim()}, Node ${process.versions.node}, one thread, ${date}`;
  const block = `${START}\n\`\`\`\n${machine}\n\n${outputs.join("\n\n")}\n\`\`\`\n${END}`;
  const text = readFileSync(readme, "utf8");
  const [from, to] = [text.indexOf(START), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`bench: expected ${START} … ${END} in README.md`);
  writeFileSync(readme, text.slice(0, from) + block + text.slice(to + END.length));
}
