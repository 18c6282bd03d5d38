/** The mutual information of label and weights, H[E p] − E[H p], in nats: how far the networks of the posterior disagree. */
import { variant } from '../../codec/index.js';
import { ofPrediction, rule } from '../rule.js';
import { listed } from './listed.js';

export const MutualInformation = variant('mutualInformation', {});

export const mutualInformationRule = rule(ofPrediction('mutualInformation'), (values) => listed(values, 'mutualInformation'));
