/** Says what set-up does and how long it took. */

/** @param {string} line */
export const say = (line) => process.stdout.write(`${line}\n`);

/**
 * Announces a step before it starts, for some take minutes, and closes the line with the time it took.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function timed(what, step) {
  const start = performance.now();
  process.stdout.write(`${what} … `);
  try {
    return await step();
  } finally {
    say(`${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}
