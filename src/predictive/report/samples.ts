/** The least number of samples that a prediction needs. */
import { laplaceError } from '../../errors.js';
import type { Network } from '../../network/network.js';
import type { Design } from '../../random/noise.js';
import { fewestDraws } from './runningMean.js';

/** The least number of samples. It is 1, or more for a regression, whose variances need several. */
export const fewestSamples = ({ heads }: Network, design: Design): number =>
  heads.every(({ ops }) => ops.variance === undefined) ? 1 : fewestDraws(design);

/** Throws an `InvalidOption` for a variance of too few samples. */
export function checkSamples(network: Network, { design, samples }: { readonly design: Design; readonly samples: number }): void {
  const fewest = fewestSamples(network, design);
  if (samples >= fewest) return;
  throw laplaceError('InvalidOption', {
    what: `A variance needs at least ${fewest} samples${fewest === 2 ? '' : `, if they are ${design}`}`,
    field: 'predictive.samples',
    found: String(samples),
    expected: `an integer >= ${fewest} for a regression`,
  });
}
