/** The part of @echogarden/espeak-ng-emscripten, which has no types of its own, that this demo uses. */
declare module "@echogarden/espeak-ng-emscripten" {
  export interface Synthesiser {
    /** 0 where the voice was found. */
    set_voice(name: string): number;
    set_rate(wordsPerMinute: number): void;
    /** 0 … 99, by default 50. */
    set_pitch(pitch: number): void;
    /** 0 … 99, by default 50. */
    set_range(range: number): void;
    get_samplerate(): number;
    /** Gives the samples of a text in parts, and null or nothing behind them. */
    synthesize(text: string, take: (samples: Int16Array | null) => void): void;
  }
  /** A synthesiser with a memory of its own. */
  export default function load(): Promise<{
    eSpeakNGWorker: new () => Synthesiser;
    /** The files of the synthesiser's memory. */
    FS: {
      analyzePath(path: string): { exists: boolean };
      readFile(path: string, options: { encoding: "utf8" }): string;
    };
  }>;
}
