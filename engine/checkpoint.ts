import type { Tensor } from "./tensor.ts";

/** Arrays by name, as `Module.stateDict` gives them. */
export type NamedArrays = Record<string, Tensor | { readonly shape: readonly number[]; readonly data: Float32Array }>;

/**
 * A safetensors file of float32 arrays: eight bytes of header length, a JSON header padded with spaces to a multiple of
 * eight, then the arrays in the order given, little-endian.
 *
 * @see https://github.com/huggingface/safetensors
 */
export function saveSafetensors(tensors: NamedArrays, metadata: Record<string, string> = {}): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const arrays = Object.entries(tensors).map(([name, t]) => ({ name, shape: [...t.shape], data: t.data }));
  let end = 0;
  for (const { name, shape, data } of arrays) {
    if (name === "__metadata__") throw new RangeError('saveSafetensors: "__metadata__" cannot be the name of a tensor');
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + 4 * data.length] };
    end += 4 * data.length;
  }
  let text = JSON.stringify(header);
  const encoder = new TextEncoder();
  text += " ".repeat((8 - (encoder.encode(text).length % 8)) % 8);
  const head = encoder.encode(text);
  const bytes = new Uint8Array(8 + head.length + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const { data } of arrays)
    for (const value of data) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  return bytes;
}
