/** Quotas of containers. */
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { available, quotaOf } from "./cores.ts";

/** The quota of files by their paths. */
const quotaIn = (files: Readonly<Record<string, string>>): number => quotaOf((path) => files[path]);

test("quotaOf: the smallest share among groups that lie in one another", () => {
  const files = {
    "/proc/self/cgroup": "0::/pod/box\n",
    "/sys/fs/cgroup/pod/box/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/pod/cpu.max": "350000 100000\n",
  };
  expect(quotaIn(files)).toBe(3.5);
  expect(quotaIn({ ...files, "/sys/fs/cgroup/pod/box/cpu.max": "50000 100000\n" })).toBe(0.5);
});

test("quotaOf: in a container the root has the quota, whatever path the host gives", () => {
  expect(quotaIn({ "/proc/self/cgroup": "0::/../x\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n" })).toBe(2);
  expect(quotaIn({ "/sys/fs/cgroup/cpu.max": "200000 100000\n" })).toBe(2);
});

test("quotaOf: groups of the first version have two files, and -1 where there is no quota", () => {
  const files = {
    "/proc/self/cgroup": "12:memory:/a\n4:cpu,cpuacct:/a\n0::/\n",
    "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "-1\n",
    "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
  };
  expect(quotaIn(files)).toBe(Infinity);
  expect(quotaIn({ ...files, "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "400000\n" })).toBe(4);
});

test("quotaOf: files that cannot be read, or say something else, are no quota", () => {
  expect(quotaIn({})).toBe(Infinity);
  expect(quotaIn({ "/proc/self/cgroup": "nonsense", "/sys/fs/cgroup/cpu.max": "" })).toBe(Infinity);
});

test("available: an integer from 1 to the number of processors", async () => {
  const count = await available();
  expect(Number.isInteger(count)).toBe(true);
  expect(count).toBeGreaterThanOrEqual(1);
  expect(count).toBeLessThanOrEqual(availableParallelism());
});
