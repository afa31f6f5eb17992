/** What anybody can check: version, seed, the hash of the weights, and the command that gives the same in Node. */

import { bytes, count } from "../../draw/numbers.ts";
import { button, element } from "../../ui/dom.ts";

declare const __VERSION__: string;

const COPY = "Copy the command";

export interface Facts {
  readonly seed: number;
  readonly hash: string;
  readonly steps: number;
  readonly query: string;
  readonly fromSeed: boolean;
  readonly memory: { readonly live: number; readonly reserved: number };
  readonly weights: number;
}

export function truth(): { node: HTMLElement; show(facts: Facts): void } {
  const list = element("dl", { class: "truth" });
  const row = (term: string, name: string): HTMLElement => {
    const value = element("dd", { "data-fact": name });
    list.append(element("dt", {}, term), value);
    return value;
  };
  row("package", "version").textContent = `jarvis-snn ${__VERSION__}`;
  row("engine", "engine").textContent = engine();
  const seed = row("seed", "seed");
  const weights = row("weights", "weights");
  const memory = row("memory", "memory");
  const hash = row("SHA-256", "hash");
  const command = element("code", { "data-fact": "command" });
  const copy = button(
    COPY,
    async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        copy.textContent = "Copied";
      } catch {
        // A browser may forbid it, and gives no clipboard to pages that came by http.
        getSelection()?.selectAllChildren(command);
      }
    },
    { "data-action": "copy" },
  );
  const node = element(
    "details",
    { class: "facts", open: "" },
    element("summary", {}, "The same run in Node"),
    list,
    command,
    copy,
  );
  return {
    node,
    show(facts) {
      seed.textContent = String(facts.seed);
      weights.textContent = `${count(facts.weights)} at step ${count(facts.steps)}`;
      memory.textContent = `${bytes(facts.memory.live)} in use, ${bytes(facts.memory.reserved)} reserved`;
      hash.textContent = facts.hash;
      const before = command.textContent;
      copy.hidden = !facts.fromSeed;
      const flag = (name: string): HTMLElement => element("span", { class: "kept" }, `--${name}`);
      command.replaceChildren(
        ...(facts.fromSeed
          ? ["npm run train:hash -- ", flag("config"), `="${facts.query}" `, flag("steps"), `=${facts.steps}`]
          : ["These weights came from a file: no seed leads to them."]),
      );
      if (command.textContent !== before) copy.textContent = COPY;
    },
  };
}

function engine(): string {
  const { userAgent } = navigator;
  const [found] = userAgent.match(/(Firefox|Edg|Chrome|Version)\/[\d.]+/) ?? [userAgent];
  return found.replace("/", " ").replace("Version", "Safari");
}
