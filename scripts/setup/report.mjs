/** Prints what the set-up does, and how long each step took. */

/** @param {string} line */
export const say = (line) => process.stdout.write(`${line}\n`);

/**
 * Runs a step. It prints what the step does before it starts, because some steps take minutes, and adds the time when it ends.
 *
 * @template T
 * @param {string} what what the step does
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
