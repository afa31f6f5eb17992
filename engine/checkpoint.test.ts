/** The layout of safetensors files, byte by byte: other programs read them. */
import { expect, test } from "vitest";
import { Linear, saveSafetensors, tensor } from "./index.ts";

/** The parts of a file, read by the letter of the format. */
function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
  const data = bytes.slice(8 + length);
  return { length, text, header: JSON.parse(text) as Record<string, unknown>, data };
}

test("safetensors: header length, JSON header and little-endian arrays in the order given", () => {
  const bytes = saveSafetensors({
    weight: tensor([
      [1, -2],
      [0.5, Number.NaN],
    ]),
    bias: { shape: [1], data: Float32Array.of(3) },
    scale: tensor(4),
  });
  const { length, text, header, data } = parse(bytes);
  expect(length % 8).toBe(0);
  expect(text).toMatch(/^\{.*\} *$/);
  expect(header).toEqual({
    weight: { dtype: "F32", shape: [2, 2], data_offsets: [0, 16] },
    bias: { dtype: "F32", shape: [1], data_offsets: [16, 20] },
    scale: { dtype: "F32", shape: [], data_offsets: [20, 24] },
  });
  expect(Object.keys(header)).toEqual(["weight", "bias", "scale"]);
  expect(Array.from(data.subarray(0, 8))).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  const floats = new Float32Array(data.buffer, data.byteOffset, 6);
  expect(Array.from(floats)).toEqual([1, -2, 0.5, Number.NaN, 3, 4]);
  expect(bytes.length).toBe(8 + length + 24);
});

test("safetensors: metadata stands under its own name, and names may hold any character", () => {
  const { length, header } = parse(saveSafetensors({ 'größe."1"': tensor([1]) }, { format: "pt", epoch: "3" }));
  expect(length % 8).toBe(0);
  expect(header).toEqual({
    __metadata__: { format: "pt", epoch: "3" },
    'größe."1"': { dtype: "F32", shape: [1], data_offsets: [0, 4] },
  });
});

test("safetensors: a state dict can be saved as it is, and nothing is an empty file", () => {
  const model = new Linear(3, 2);
  const { header, data } = parse(saveSafetensors(model.stateDict()));
  expect(Object.keys(header)).toEqual(["weight", "bias"]);
  expect(data.length).toBe(4 * 8);
  expect(parse(saveSafetensors({}))).toMatchObject({ header: {}, data: new Uint8Array(0) });
});

test("safetensors: a tensor cannot have the name of the metadata", () => {
  expect(() => saveSafetensors({ __metadata__: tensor([1]) })).toThrow(
    new RangeError('saveSafetensors: "__metadata__" cannot be the name of a tensor'),
  );
});
