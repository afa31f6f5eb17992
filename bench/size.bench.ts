/** What the package costs on the wire, and what a page that trains the same network costs with a peer. */
import { type Rows, report } from "./support/report.ts";

const script = new URL("../../scripts/size.mjs", import.meta.url).href;
const { sizes, peerSize } = (await import(script)) as {
  sizes(): Promise<Record<string, { gzip: number }>>;
  peerSize(peer: string, folder: string): Promise<number>;
};

const all = await sizes();
const bytes = (entry: string): number => all[entry]?.gzip ?? Number.NaN;

async function timesLarger(peer: "jax-js" | "tfjs"): Promise<Rows[string]> {
  const folder = process.env.BENCH_PEERS;
  if (folder === undefined) return { missing: "npm run bench -- --peers" };
  return { value: (await peerSize(peer, folder)) / bytes("a training program, core") };
}

report({
  core: { value: bytes("a training program, core") / 1000 },
  "core/jax-js": await timesLarger("jax-js"),
  "core/tfjs": await timesLarger("tfjs"),
  program: { value: bytes("a training program") / 1000 },
  package: { value: bytes("jarvis-snn") / 1000 },
});
