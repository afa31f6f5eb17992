/** The same networks by fused products, where an engine has them. */
import type { Shared } from "./threads.ts";

/** The hashes of these networks, all unless they are named, with one thread and with so many; or why the engine has no fused products. */
export async function measureAll(counts: readonly number[], names?: string[]): Promise<Shared[] | { refused: string }> {
  try {
    await import("jarvis-snn/relaxed");
  } catch (error) {
    return { refused: (error as Error).message };
  }
  const shared = await import("./threads.ts");
  return shared.measureAll([1, ...counts], names);
}
