/** The predictive entropy H[E p] in nats: how unsure the label is, whatever the reason. For independent labels it is summed over them. */
import { variant } from '../../codec/index.js';
import { entropy } from '../../metrics/entropy.js';
import type { Known } from '../inputs.js';
import { ofPrediction, rule } from '../rule.js';
import { listed } from './listed.js';

export const Entropy = variant('entropy', {});

export const entropyRule = rule(
  { ...ofPrediction('probabilities'), read: ({ prediction }: Known) => prediction },
  ({ entropy: known, probabilities }) => (known === undefined ? entropy(probabilities) : listed(known, 'entropy')),
);
