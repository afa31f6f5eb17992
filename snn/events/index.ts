/**
 * Recordings of event cameras: readers and writers of the formats that cameras and data sets have.
 *
 * @module jarvis-snn/events
 */

export type { EventStream, EventStreamChunk, EventStreamReader, EventStreamSource } from "./input.ts";
export {
  type EventFormat,
  type ReadEventChunksOptions,
  type ReadEventsOptions,
  readEventChunks,
  readEvents,
} from "./read.ts";
export type { EventRecording, ReadRecording } from "./recording.ts";
export { readSHD, type SpikeRecordings } from "./shd.ts";
export { type EventWriteFormat, writeEvents } from "./write.ts";
