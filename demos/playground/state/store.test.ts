import { expect, test } from "vitest";
import { number } from "./fields.ts";
import { Store } from "./store.ts";

const fields = { a: number(1, 0, 9, 1), b: number(2, 0, 9, 1) };

test("store: listeners hear what has changed, and from where", () => {
  const store = new Store(fields);
  const heard: unknown[] = [];
  store.subscribe((changed, origin) => heard.push([[...changed], origin]));
  store.set({ a: 1 });
  store.set({ a: 3, b: 2 });
  store.parse("b=7");
  expect(heard).toEqual([
    [["a"], "control"],
    [["a", "b"], "address"],
  ]);
  expect(store.values).toEqual({ a: 1, b: 7 });
  expect(store.query).toBe("b=7");
});

test("store: values that do not suit each other become the nearest that do, and listeners hear of all of them", () => {
  const store = new Store(fields, (values) => ({ ...values, a: Math.min(values.a, values.b) }));
  const heard: unknown[] = [];
  store.subscribe((changed) => heard.push([...changed]));
  store.set({ a: 9 });
  expect(store.values).toEqual({ a: 2, b: 2 });
  store.set({ b: 1 });
  expect(store.values).toEqual({ a: 1, b: 1 });
  expect(heard).toEqual([["a"], ["a", "b"]]);
});
