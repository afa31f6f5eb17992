import { roomAt } from "../room.ts";

export const mount = roomAt("coding", "The Coding room: a drawing as spikes by rate and by latency");
