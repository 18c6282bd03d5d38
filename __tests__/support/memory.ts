/** Device memory before and after. */
import * as tf from '@tensorflow/tfjs';

/** Lets everything go on that waits for a turn of the event loop. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** Tensors and bytes that `run` leaves behind. */
export async function leftBehind(run: () => unknown): Promise<{ tensors: number; bytes: number }> {
  const before = tf.memory();
  await run();
  await settled();
  const after = tf.memory();
  return { tensors: after.numTensors - before.numTensors, bytes: after.numBytes - before.numBytes };
}

/** `run` frees what it makes. It runs once beforehand, for what tfjs keeps of a first use (compiled programs, optimizer slots). */
export async function expectNoLeak(run: () => unknown): Promise<void> {
  await run();
  await settled();
  expect(await leftBehind(run)).toEqual({ tensors: 0, bytes: 0 });
}
