/**
 * Predicts batch after batch with one upload of the posterior. The effect behind the `predict` operator and the promise form.
 */
import { laplaceError } from '../errors.js';
import { MEMORY_BUDGET } from '../limits.js';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from './codec.js';
import { functionPredictor } from './linearised/functionPredictor.js';
import { linearisedPredictor } from './linearised/linearisedPredictor.js';
import type { Predictor, RunningPredictor } from './prediction.js';
import { rowOf } from './report/report.js';
import { samplingPredictor } from './sampling/samplingPredictor.js';

/** Uploads the posterior; the caller disposes the predictor. Throws a `LaplaceError` on an option that does not fit. */
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

/** A prediction that takes no draws: its one state is the last. */
const atOnce = ({ predict, dispose }: Predictor): RunningPredictor => ({
  async *run(x, index) {
    const prediction = await predict(x, index);
    yield { samples: 0, most: 0, standardError: () => 0, done: true, report: async () => prediction };
  },
  dispose,
});

/** Only a likelihood of one's own can lack them. */
function checkMoments(head: Head): void {
  const { likelihood } = rowOf(head);
  if (likelihood._tag !== 'custom') return;
  const missing = (['mean', 'variance'] as const).filter((name) => likelihood[name] === undefined);
  if (missing.length === 0) return;
  throw laplaceError('InvalidOption', {
    what: `Likelihood '${likelihood.name}' does not say what its outputs predict`,
    field: missing[0] as string,
    found: `no ${missing.join(' and no ')}`,
    expected: 'functions mean and variance, of the labels given the outputs',
    remedy: 'Give them to customLikelihood; for the outputs themselves use outputDistribution.',
  });
}
