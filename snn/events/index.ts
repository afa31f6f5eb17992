/**
 * Recordings of event cameras: readers and writers of the formats of cameras and data sets, tensors of recordings, filters, and a simulated camera.
 *
 * @module jarvis-snn/events
 */

export * from "./augmentation.ts";
export * from "./camera.ts";
export * from "./filters.ts";
export type { EventFormat } from "./formats.ts";
export * from "./frames.ts";
export type { EventStream, EventStreamChunk, EventStreamReader, EventStreamSource } from "./input.ts";
export type { RandomEventOptions } from "./random.ts";
export type { ReadEventChunksOptions, ReadEventsOptions } from "./read.ts";
export { readEventChunks, readEvents } from "./read.ts";
export type { EventRecording, ReadRecording, SpikeRecordings } from "./recording.ts";
export { readSHD } from "./shd.ts";
export type { SliceOptions } from "./slices.ts";
export type { ReadSHDOptions } from "./spikes.ts";
export * from "./surfaces.ts";
export { type EventWriteFormat, writeEvents } from "./write.ts";
