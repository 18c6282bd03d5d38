/** Device memory before and after. */
import * as tf from '@tensorflow/tfjs';

/** Lets everything go on that waits for a turn of the event loop. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** How long work that was left half-way may take to end on a busy machine, in milliseconds. */
const PATIENCE = 5000;

/** Waits until memory has stood still for a few turns: nothing is at work any more. */
async function quiet(): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (let still = 0, last = tf.memory().numBytes; still < 3 && Date.now() < deadline; ) {
    await settled();
    const now = tf.memory().numBytes;
    still = now === last ? still + 1 : 0;
    last = now;
  }
}

/** Tensors and bytes that `run` leaves behind once what it began has ended: waits until they are as many as expected. */
export async function leftBehind(run: () => unknown, expected = 0): Promise<{ tensors: number; bytes: number }> {
  await quiet();
  const before = tf.memory();
  await run();
  const deadline = Date.now() + PATIENCE;
  do await settled();
  while (tf.memory().numTensors !== before.numTensors + expected && Date.now() < deadline);
  const after = tf.memory();
  return { tensors: after.numTensors - before.numTensors, bytes: after.numBytes - before.numBytes };
}

/** `run` frees what it makes. It runs once beforehand, for what tfjs keeps of a first use (compiled programs, optimizer slots). */
export async function expectNoLeak(run: () => unknown): Promise<void> {
  await run();
  expect(await leftBehind(run)).toEqual({ tensors: 0, bytes: 0 });
}
