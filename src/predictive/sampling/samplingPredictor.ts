/**
 * The predictives that average drawn networks, or draws of pre-activations. Each draw is added to running sums on the host, until
 * there are enough draws. There is one download for each draw and piece.
 */
import type { Head, Network } from '../../network/network.js';
import type { Posterior } from '../../posterior/posterior.js';
import type { Design } from '../../random/noise.js';
import type { Prediction, Running, RunningPredictor } from '../prediction.js';
import { networkMoments, ofHeads } from '../report/heads.js';
import { type SampleFold, sampleFold } from '../report/report.js';
import { maySettle } from '../report/runningMean.js';
import { checkSamples, fewestSamples } from '../report/samples.js';
import { shiftOf } from '../report/scale.js';
import type { Readout } from './sampledBatch.js';
import { createSampler, type OpenBatch, type Sampling } from './sampler.js';

/**
 * Uploads the posterior. The caller disposes the predictor.
 *
 * @param memoryBudget in bytes
 * @throws LaplaceError `InvalidOption` if the samples are too few for a variance, or for a scale that no output has a use for
 */
export function samplingPredictor(
  network: Network,
  posterior: Posterior,
  predictive: Sampling,
  memoryBudget: number,
): RunningPredictor {
  checkSamples(network, predictive);
  const read: Readout = { of: networkMoments, shift: shiftOf(network, predictive.scale) };
  const sampler = createSampler(network, posterior, predictive, memoryBudget);
  return {
    run: (x, index) => states(network, predictive, sampler.open(x, index, read), x[0]?.shape[0] as number),
    dispose: sampler.dispose,
  };
}

/** Predicts one batch of B examples draw by draw. It stops after `samples` draws, or when the standard error reaches its target. */
async function* states(
  network: Network,
  { design, samples: most, standardError: target }: Sampling,
  batch: OpenBatch,
  B: number,
): AsyncGenerator<Running, void> {
  const { heads } = network;
  const folds: SampleFold[] = [];
  const fewest = fewestSamples(network, design);
  const standardError = (): number => Math.max(...folds.map((fold) => fold.standardError()));
  const report = (): Promise<Prediction> => ofHeads(network, (_, i) => (folds[i] as SampleFold).report());
  try {
    for (let samples = 1, done = false; !done; samples++) {
      (await batch.draw(samples - 1)).forEach((values, i) => {
        folds[i] ??= foldOf(heads[i] as Head, values, B, design);
        folds[i].add(values);
      });
      const precise = target !== undefined && maySettle(design, samples) && standardError() <= target;
      done = precise || samples === most;
      yield { samples, most, standardError, done, report: samples < fewest ? undefined : report };
    }
  } finally {
    batch.dispose();
  }
}

/** Creates the running sums for a head and B examples. `values` is the head's first draw, from which the sizes are taken. */
function foldOf(head: Head, values: Float32Array, B: number, design: Design): SampleFold {
  const rows = (B * head.outputs) / head.row.outputs;
  return sampleFold(head, design, rows, values.length / rows);
}
