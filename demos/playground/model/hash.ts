import type { SpikingNetwork } from "./network.ts";
import { sha256 } from "./sha256.ts";

/** SHA-256 of all weights of a network in their order, float32, little-endian. */
export function hashOf(model: SpikingNetwork): string {
  const values = model.parameters().flatMap((weights) => [...weights.toFloat32Array()]);
  return sha256(new Uint8Array(Float32Array.from(values).buffer));
}
