/** The expected entropy E[H p] in nats: how unsure the label is for the networks of the posterior on average. */
import { variant } from '../../codec/index.js';
import { ofPrediction, rule } from '../rule.js';
import { listed } from './listed.js';

export const ExpectedEntropy = variant('expectedEntropy', {});

export const expectedEntropyRule = rule(ofPrediction('expectedEntropy'), (values) => listed(values, 'expectedEntropy'));
