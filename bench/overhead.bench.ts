/** What an op costs besides its arithmetic: chains of ops on four values, recorded, and walked back. */
import { noGrad, warmup } from "jarvis-snn";
import { additions, chainOf, links, overhead } from "./support/chain.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { part, serve } from "./support/serve.ts";

const chain = (): void => {
  noGrad(() => additions().data[0]);
};

warmup();
const rows = Object.entries(links).flatMap(([name, link]) => [
  [`${name}, forward`, part(() => () => chainOf(link)[0])] as const,
  [`${name}, backward`, part(() => () => chainOf(link)[1])] as const,
]);
await serve(Object.fromEntries(rows));
const [forward, backward] = overhead();
report({
  forward: { value: forward },
  backward: { value: backward },
  ...(await race("overhead", { chain: { step: chain, rounds: 21 } })),
});
