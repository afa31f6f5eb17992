/** What the package costs on the wire. */
import { report } from "./support/report.ts";

const script = new URL("../../scripts/size.mjs", import.meta.url).href;
const { sizes } = (await import(script)) as { sizes(): Promise<Record<string, { gzip: number }>> };

const all = await sizes();
const kilobytes = (entry: string) => ({ value: (all[entry]?.gzip ?? Number.NaN) / 1000 });
report({ program: kilobytes("a training program"), package: kilobytes("jarvis-snn") });
