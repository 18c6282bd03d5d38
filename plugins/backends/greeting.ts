/** The words with which the plain backend begins. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Starts a backend without its greeting: on first use, the plain one greets, and advises another. For programs that say themselves on which
 * backend they run.
 *
 * @param start starts the backend: `useBackend`, for example
 */
export async function withoutGreeting<A>(start: () => Promise<A>): Promise<A> {
  const { warn } = console;
  console.warn = () => {};
  try {
    const found = await start();
    tf.scalar(0).dispose();
    return found;
  } finally {
    console.warn = warn;
  }
}
