/** How many threads the machine lets this process use. */
import { isNode, realm } from "./platform.ts";

const [OS, FILES] = ["node:os", "node:fs"];

/** The text of a file, undefined where it cannot be read. */
type Reader = (path: string) => string | undefined;

/** Processors that this process may use: of a container, not more than its share of time. */
export async function available(): Promise<number> {
  if (!isNode()) return realm.navigator?.hardwareConcurrency ?? 1;
  const { availableParallelism } = (await import(/* @vite-ignore */ OS)) as { availableParallelism(): number };
  const { readFileSync } = (await import(/* @vite-ignore */ FILES)) as {
    readFileSync(path: string, encoding: "utf8"): string;
  };
  const read: Reader = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  };
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quotaOf(read))));
}

/**
 * Processors by the quotas of Linux: the smallest share of time among the control groups of this process, which lie in one another.
 *
 *   /proc/self/cgroup    0::/a/b        or, in the first version,    4:cpu,cpuacct:/a/b
 *   cpu.max              150000 100000  microseconds in each period; "max" where there is no quota
 */
export function quotaOf(read: Reader): number {
  let least = Infinity;
  const limit = (quota: string | undefined, period: string | undefined): void => {
    const share = Number(quota) / Number(period);
    if (share > 0) least = Math.min(least, share);
  };
  for (const line of (read("/proc/self/cgroup") ?? "0::/").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    // In a container the path may be the host's, and only the root is there.
    const groups = path.split("/").filter((name) => name !== "");
    for (let depth = 0; depth <= groups.length; depth++) {
      const group = ["", ...groups.slice(0, depth)].join("/");
      if (controllers === "") limit(...pairOf(read(`/sys/fs/cgroup${group}/cpu.max`)));
      else if (controllers.split(",").includes("cpu")) {
        const folder = `/sys/fs/cgroup/cpu${group}/cpu.cfs`;
        limit(read(`${folder}_quota_us`), read(`${folder}_period_us`));
      }
    }
  }
  return least;
}

const pairOf = (text = ""): [string?, string?] => text.trim().split(" ") as [string?, string?];
