/** The file of digits that figures learn from. */
import { addressIn, DIGITS } from "../ui/site.ts";

/** Loads it; `again` says how the reader tries again where it does not load. */
export async function loadDigits(again: string): Promise<ArrayBuffer> {
  const response = await fetch(addressIn(DIGITS)).catch(() => null);
  if (response?.ok !== true) throw new Error(`The digits do not load: the network may be away. ${again}`);
  return response.arrayBuffer();
}
