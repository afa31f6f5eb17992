/** Number of processors that this process may use. */
import { isNode, moduleOfNode, realm } from "./platform.ts";

/** Reads a file as text; undefined if that fails. */
type Reader = (path: string) => string | undefined;

/** Number of processors that this process may use; in a container, at most its share of processor time. */
export async function available(): Promise<number> {
  if (!isNode()) return realm.navigator?.hardwareConcurrency ?? 1;
  const { availableParallelism } = (await moduleOfNode("node:os")) as { availableParallelism(): number };
  const { readFileSync } = (await moduleOfNode("node:fs")) as { readFileSync(path: string, encoding: "utf8"): string };
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
 * Number of processors by Linux quotas: the smallest quota among the nested control groups of this process.
 *
 *   /proc/self/cgroup    0::/a/b        or in cgroup version 1    4:cpu,cpuacct:/a/b
 *   cpu.max              150000 100000  microseconds of processor time, and of the period; "max": no quota
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
    // In a container, the path may be valid only on the host; then only the root exists.
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
