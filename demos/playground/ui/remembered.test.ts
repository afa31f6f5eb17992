import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";

const WORDS = ["light", "dark"] as const;

/** The module as a new page loads it, over a storage. */
async function pageWith(storage: () => Partial<Storage>) {
  vi.resetModules();
  Object.defineProperty(globalThis, "localStorage", { get: storage, configurable: true });
  return import("./remembered.ts");
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, "localStorage");
});

test("remembered: another page has the value, where the browser keeps it", async () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  };
  const first = await pageWith(() => storage);
  expect(first.remembered("theme", WORDS)).toBeNull();
  first.remember("theme", "dark");
  expect(first.remembered("theme", WORDS)).toBe("dark");
  const second = await pageWith(() => storage);
  expect(second.remembered("theme", WORDS)).toBe("dark");
  kept.set("theme", "a look of another program");
  expect((await pageWith(() => storage)).remembered("theme", WORDS)).toBeNull();
});

const denied = (): never => {
  throw new DOMException("denied", "SecurityError");
};

test.each([
  ["the look at storage", denied],
  ["its methods", () => ({ getItem: denied, setItem: denied })],
])("remembered: where %s throws, a value lasts as long as the page", async (_, storage) => {
  const page = await pageWith(storage);
  expect(page.remembered("theme", WORDS)).toBeNull();
  page.remember("theme", "dark");
  expect(page.remembered("theme", WORDS)).toBe("dark");
  expect((await pageWith(storage)).remembered("theme", WORDS)).toBeNull();
});

test("remembered: no other file of the pages asks for storage", () => {
  const demos = join(import.meta.dirname, "../..");
  const files = readdirSync(demos, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(?<!\.test)\.(ts|js|html)$/.test(path),
  );
  const touching = files.filter((path) => /(local|session)Storage/.test(readFileSync(join(demos, path), "utf8")));
  expect(files.length).toBeGreaterThan(100);
  expect(touching).toEqual([join("playground", "ui", "remembered.ts")]);
});
