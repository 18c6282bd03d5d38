/** A device that goes away during training: the callback says so, and stops listening. (A real lost context: `__tests__/browser`.) */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { everyEpoch, type Progress } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection } from '../../support/errors.js';
import { chain, dataOf, pair } from '../../support/networks.js';

const classes = pair('classes, softmax inside');

/** Gives the backend a WebGL context that can be lost, for the length of `run`. */
async function withContext<A>(run: (context: { readonly lose: () => void; readonly listeners: () => number }) => Promise<A>) {
  const listeners = new Set<() => void>();
  let gone = false;
  const canvas = {
    addEventListener: (_: string, listener: () => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
  };
  const backend = tf.backend() as unknown as { getGPGPUContext?: unknown };
  const gl = { canvas, isContextLost: () => gone };
  const flags = tf.env().getFlags();
  backend.getGPGPUContext = () => ({ gl });
  tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', true);
  const lose = (): void => {
    gone = true;
    for (const listener of [...listeners]) listener();
  };
  try {
    return await run({ lose, listeners: () => listeners.size });
  } finally {
    delete backend.getGPGPUContext;
    tf.env().reset();
    tf.env().setFlags(flags);
  }
}

const train = async (onProgress: (event: Progress) => void) => {
  const { x, y } = dataOf(classes, 10);
  const callback = laplaceCallback({ likelihood: classes.likelihood, epochs: everyEpoch(), onProgress });
  const ends = Promise.allSettled([lastValueFrom(callback.factors$), lastValueFrom(callback.batches$)]);
  await chain(classes).fit(x, y, { epochs: 2, batchSize: 4, verbose: 0, callbacks: callback });
  return { callback, ends: await ends };
};

it.each([2, 3, 4])('after %s batches: both streams fail with the loss, and training goes on', async (batches) => {
  await withContext(async ({ lose, listeners }) => {
    const seen: number[] = [];
    const { callback, ends } = await train(({ done }) => {
      seen.push(done);
      if (done === batches) lose();
    });
    for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { kind: 'Backend' } });
    expect(seen).toEqual(Array.from({ length: batches }, (_, i) => i + 1));
    // What was on the device is lost.
    await expectRejection(callback.gathered(), 'Backend');
    expect(listeners()).toBe(0);
  });
});

it('before training: it is told at once', async () => {
  await withContext(async ({ lose, listeners }) => {
    lose();
    const { ends } = await train(() => {});
    for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { kind: 'Backend' } });
    expect(listeners()).toBe(0);
  });
});

it('never: nobody listens any more when training has ended', async () => {
  await withContext(async ({ listeners }) => {
    const { ends } = await train(() => {});
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(listeners()).toBe(0);
  });
});
