/** Device memory before and after. Waiting is counted in turns of the event loop, not in time: a slow machine has as many of them. */
import * as tf from '@tensorflow/tfjs';

/** One turn of the event loop: timers that are due run, and so does everything that `setImmediate` or a message has queued. */
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Turns after which work that nothing holds up has gone as far as it can. */
const SETTLED = 15;

/** Turns that work left half-way may take to end, before what it holds counts as leaked. */
const PATIENCE = 2000;

/** Lets everything go on that waits for a turn of the event loop. */
export async function settled(): Promise<void> {
  for (let i = 0; i < SETTLED; i++) await turn();
}

/** Waits until memory has stood still for as many turns as `settled` takes: nothing is at work any more. */
async function quiet(): Promise<void> {
  let last = tf.memory().numBytes;
  for (let still = 0, turns = 0; still < SETTLED && turns < PATIENCE; turns++) {
    await turn();
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
  let turns = 0;
  do await turn();
  while (tf.memory().numTensors !== before.numTensors + expected && ++turns < PATIENCE);
  const after = tf.memory();
  return { tensors: after.numTensors - before.numTensors, bytes: after.numBytes - before.numBytes };
}

/** `run` frees what it makes. It runs once beforehand, for what tfjs keeps of a first use (compiled programs, optimizer slots). */
export async function expectNoLeak(run: () => unknown): Promise<void> {
  await run();
  expect(await leftBehind(run)).toEqual({ tensors: 0, bytes: 0 });
}
