/**
 * Creates the predictor of each predictive. A predictor predicts batch after batch, and keeps the posterior on the device between
 * batches if it fits. The `predict` operator and the promise form are built on it.
 */
import { laplaceError } from '../errors.js';
import { MEMORY_BUDGET } from '../limits.js';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from './codec.js';
import { functionPredictor } from './linearised/functionPredictor.js';
import { linearisedPredictor } from './linearised/linearisedPredictor.js';
import type { Predictor, RunningPredictor } from './prediction.js';
import { samplingPredictor } from './sampling/samplingPredictor.js';

/**
 * Creates the predictor for a posterior. The caller disposes it.
 *
 * @param memoryBudget bytes for the work on the device; 1 GiB by default
 * @throws LaplaceError if an option does not fit
 */
export function createPredictor(
  network: Network,
  posterior: Posterior,
  predictive: Predictive,
  memoryBudget: number = MEMORY_BUDGET,
): RunningPredictor {
  network.heads.forEach(checkMoments);
  switch (predictive._tag) {
    case 'linearised':
      return atOnce(linearisedPredictor(network, posterior, predictive, memoryBudget));
    case 'activationSampling':
    case 'weightSampling':
      return samplingPredictor(network, posterior, predictive, memoryBudget);
    case 'functionSampling':
      return atOnce(functionPredictor(network, posterior, predictive, memoryBudget));
  }
}

/** Wraps a predictor that makes its prediction in one step, not draw by draw: it yields one state, which is the last. */
const atOnce = ({ predict, dispose }: Predictor): RunningPredictor => ({
  async *run(x, index) {
    const prediction = await predict(x, index);
    yield { samples: 0, most: 0, standardError: () => 0, done: true, report: async () => prediction };
  },
  dispose,
});

/** Throws `InvalidOption` for a likelihood that lacks the moments of its labels. */
function checkMoments({ row: { ops } }: Head): void {
  const { name, missing = [] } = ops;
  if (missing.length === 0) return;
  throw laplaceError('InvalidOption', {
    what: `Likelihood '${name}' does not say what its outputs predict`,
    field: missing[0] as string,
    found: `no ${missing.join(' and no ')}`,
    expected: 'functions mean and variance, which give the moments of the labels given the outputs',
    remedy: 'Give both to customLikelihood. For the outputs themselves use outputDistribution.',
  });
}
