import { expect, test } from "vitest";
import { LIGHT } from "../../draw/palette.ts";
import { rounded } from "../terms.ts";
import { addressOf, settingOf } from "./address.ts";
import { zeroLines } from "./contour.ts";
import { parse } from "./language.ts";
import { PRESETS, settingOfPreset } from "./presets.ts";
import { colorOf, Roles } from "./roles.ts";
import { rangeOf } from "./scene.ts";
import { Undo } from "./undo.ts";

test("an address holds text, current and width", () => {
  for (const preset of PRESETS) {
    const setting = settingOfPreset(preset);
    expect(settingOf(addressOf(setting.text, setting.current, setting.width))).toEqual(setting);
  }
  const current = rounded(Array.from({ length: 50 }, (_, t) => Math.sin(t) / 3 - t));
  expect(settingOf(addressOf("a = 1 # ä & b%20\n v' = a;", current))).toEqual({
    text: "a = 1 # ä & b%20\n v' = a;",
    current,
    width: 1,
  });
  expect(addressOf("v", new Float32Array(400).fill(0.09))).toBe("#text=v&current=0.09*400&width=1");
});

test.each([
  "",
  "#sources",
  "#text=v",
  "#text=v&current=1*9",
  "#text=v&current=1*2001",
  "#text=v&current=1*99999999",
  "#text=v&current=x*40",
  "#text=v&current=1e99*40",
  "#text=v&current=NaN*40",
  "#text=v&current=Infinity*40",
  "#text=v&current=1*40&width=-1",
  "#text=v&current=1*40&width=a",
  `#text=${"v".repeat(4001)}&current=1*40`,
])("%s is no address of a neuron", (hash) => expect(settingOf(hash)).toBeNull());

test("changes of one kind in a row are undone as one, and a new one ends what could be done again", () => {
  const undo = new Undo("a");
  expect([undo.canUndo, undo.canRedo]).toEqual([false, false]);
  undo.note("b1", "slider b");
  undo.note("b2", "slider b");
  undo.note("c", "slider c");
  expect([undo.undo(), undo.undo(), undo.undo()]).toEqual(["b2", "a", "a"]);
  expect([undo.redo(), undo.canRedo]).toEqual(["b2", true]);
  undo.note("d", "slider b");
  expect([undo.canRedo, undo.undo(), undo.undo()]).toEqual([false, "b2", "a"]);
  for (let i = 0; i < 500; i++) undo.note(String(i));
  let steps = 0;
  while (undo.canUndo) {
    undo.undo();
    steps++;
  }
  expect(steps).toBe(199);
});

test("a state keeps its colour while others come and go", () => {
  const roles = new Roles();
  const neuron = (...states: string[]) =>
    parse(
      ["u = v + I", "s = [u ≥ 1]", "v′ = 0 if s else u", ...states.map((name) => `${name}′ = ${name} + s`)].join("\n"),
    );
  const given = (...names: string[]) => names.map((name) => roles.of(name));
  roles.assign(neuron("a", "b"));
  expect(given("I", "s", "u", "v", "a", "b", "x")).toEqual([
    ...["current", "spike", "membrane", "membrane", "second", "third"],
    null,
  ]);
  roles.assign(neuron("c", "b"));
  expect(given("c", "b", "a")).toEqual(["second", "third", null]);
  roles.assign(neuron("d", "e", "c", "f", "g"));
  expect(new Set(given("d", "e", "c", "f", "g"))).toEqual(new Set(["second", "third", "fourth"]));
  expect(roles.of("c")).toBe("second");
  expect(colorOf("membrane", LIGHT)).toBe(LIGHT.membrane);
});

test("lines of zeros lie where the function is 0, whole and without gaps", () => {
  const side = 21;
  const circle = Float32Array.from({ length: side * side }, (_, i) => {
    return Math.hypot((i % side) - 10, Math.floor(i / side) - 10) - 6.3;
  });
  const pieces = zeroLines(circle, side);
  expect(pieces.length % 6).toBe(0);
  const ends = new Map<string, number>();
  for (let i = 0; i < pieces.length; i += 6) {
    for (const at of [i, i + 2]) {
      const [x, y] = [pieces[at] as number, pieces[at + 1] as number];
      expect(Math.hypot(x - 10, y - 10)).toBeCloseTo(6.3, 1);
      const key = `${x.toFixed(9)} ${y.toFixed(9)}`;
      ends.set(key, (ends.get(key) ?? 0) + 1);
    }
  }
  // Each end is the beginning of the next piece.
  expect([...ends.values()].every((count) => count === 2)).toBe(true);
  expect(zeroLines(Float32Array.of(1, -1, -1, 1), 2)).toHaveLength(12);
  expect(zeroLines(Float32Array.of(1, Number.NaN, -1, 1), 2)).toEqual([]);
});

test("ranges hold all values that are finite", () => {
  const [low, high] = rangeOf(Float32Array.of(-2, 3, Number.NaN, Number.POSITIVE_INFINITY));
  expect([low, high]).toEqual([-3, 4]);
  expect(rangeOf(Float32Array.of(Number.NaN))).toEqual([-1, 1]);
});
