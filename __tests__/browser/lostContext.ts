/** What becomes of a stream when the browser takes the GPU away under it, as it may at any time. */
import * as tf from '@tensorflow/tfjs';
import { concatMap, from, lastValueFrom, of, tap, toArray } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  batches,
  categorical,
  epochsWhere,
  everyEpoch,
  inputBatches,
  kfac,
  observe,
  outputDistribution,
  predict,
  sampleModels,
} from 'tfjs-laplace';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { data, network, posteriorOf } from './analysis.js';
import { outcome } from './outcome.js';

/** Takes the context of the WebGL backend away, as WebGL's own extension for such tests does. */
function loseContext(): void {
  const { gl } = (tf.backend() as unknown as { getGPGPUContext(): { gl: Context } }).getGPGPUContext();
  gl.getExtension('WEBGL_lose_context')?.loseContext();
}

interface Context {
  getExtension(name: 'WEBGL_lose_context'): { loseContext(): void } | null;
}

type Network = ReturnType<typeof network>;
type Data = ReturnType<typeof data>;

/** Everything that reads from the device: the context is lost after the first value, or before there is one. */
const STREAMS: Readonly<Record<string, (model: Network, xy: Data) => Promise<unknown>>> = {
  'accumulate, before': async (model, xy) => {
    loseContext();
    return accumulated(model, xy, () => {});
  },
  'accumulate, after a batch': (model, xy) => accumulated(model, xy, (done) => done === 1 && loseContext()),
  'predict, before': async (model, xy) => {
    const posterior = await posteriorOf(model, xy);
    loseContext();
    return lastValueFrom(of(xy.x).pipe(predict(model, posterior)));
  },
  'predict, after a batch': async (model, xy) => {
    const posterior = await posteriorOf(model, xy);
    return lastValueFrom(
      from(inputBatches(xy.x, 16)).pipe(
        predict(model, posterior),
        tap(() => loseContext()),
        toArray(),
      ),
    );
  },
  'predict by sampling, in the middle of a batch': async (model, xy) => {
    const posterior = await posteriorOf(model, xy);
    setTimeout(loseContext, 0);
    return lastValueFrom(
      from(inputBatches(xy.x, 4)).pipe(predict(model, posterior, activationSampling({ samples: 20 })), toArray()),
    );
  },
  'output distribution, before': async (model, xy) => {
    const posterior = await posteriorOf(model, xy);
    loseContext();
    return outputDistribution(model, posterior, xy.x);
  },
  'sample models, after one': async (model, xy) => {
    const posterior = await posteriorOf(model, xy);
    return lastValueFrom(
      of(posterior).pipe(
        sampleModels(model, { samples: 3 }),
        concatMap(async () => loseContext()),
        toArray(),
      ),
    );
  },
  'training with the callback, after a batch': async (model, { x, y }) => {
    const curvature = laplaceCallback({
      likelihood: categorical(),
      epochs: everyEpoch(),
      onProgress: ({ done }) => done === 2 && loseContext(),
    });
    // tfjs itself waits for ever for what training reads from a lost context.
    void model.fit(x, y, { epochs: 2, batchSize: 16, verbose: 0, callbacks: curvature }).catch(() => {});
    return lastValueFrom(curvature.factors$);
  },
  'training with the callback, in an epoch that it does not observe': async (model, { x, y }) => {
    const curvature = laplaceCallback({ likelihood: categorical(), epochs: epochsWhere((epoch) => epoch === 1) });
    const loses = new tf.CustomCallback({ onBatchEnd: async () => loseContext() });
    void model.fit(x, y, { epochs: 2, batchSize: 16, verbose: 0, callbacks: [curvature, loses] }).catch(() => {});
    return lastValueFrom(curvature.factors$);
  },
  'laplaceApproximation, while it trains': async (model, xy) =>
    laplaceApproximation(model, { likelihood: categorical(), pretrained: false, verbose: true, log: loseContext }).fit(xy, {
      epochs: 2,
      batchSize: 16,
    }),
};

const accumulated = (model: Network, xy: Data, onDone: (done: number) => unknown) =>
  lastValueFrom(
    from(batches(xy, 16)).pipe(
      observe(model, categorical()),
      accumulateFactors(kfac({ fisher: 'exact' }), { onProgress: ({ done }) => void onDone(done) }),
    ),
  );

/** Names of what `lostContext` can be asked for. */
export const streams = (): ReadonlyArray<string> => Object.keys(STREAMS);

/** Runs one of them, and tells how it ended. */
export const lostContext = (name: string, patience: number): Promise<string> =>
  Promise.race([
    outcome((STREAMS[name] as (typeof STREAMS)[string])(network(), data())),
    new Promise<string>((resolve) => setTimeout(() => resolve(`silence for ${patience} ms`), patience)),
  ]);
