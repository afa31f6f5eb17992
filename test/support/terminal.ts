/** The output stream as a terminal, or as none. */

/** Runs with a `process.stdout` of these members, and gives the old ones back. */
export async function withStdout<R>(
  members: { isTTY: boolean; columns: number },
  run: () => R | Promise<R>,
): Promise<R> {
  const before = Object.keys(members).map(
    (key) => [key, Object.getOwnPropertyDescriptor(process.stdout, key)] as const,
  );
  for (const [key, value] of Object.entries(members)) {
    Object.defineProperty(process.stdout, key, { value, configurable: true });
  }
  try {
    return await run();
  } finally {
    for (const [key, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(process.stdout, key);
      else Object.defineProperty(process.stdout, key, descriptor);
    }
  }
}

/** The words of a text without its numbers and pictures: a word that was broken gives others. */
export const wordsOf = (text: string): Set<string> =>
  new Set(text.replace(/[-\d.]*\d|[█▏▎▍▌▋▊▉─└┤│\u2800-\u28ff]+/g, " ").split(/\s+/));
