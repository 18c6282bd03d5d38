/** The scores of inputs. A new one is a file in `scores/`, and a line in each of the two lists below. */
import { type Flat, type InputOf, taggedUnion } from '../codec/index.js';
import { DetectorValue, detectorRule } from './detector.js';
import type { ScoreRule } from './rule.js';
import { Energy, energyRule } from './scores/energy.js';
import { Entropy, entropyRule } from './scores/entropy.js';
import { ExpectedEntropy, expectedEntropyRule } from './scores/expectedEntropy.js';
import { MaximumLogit, maximumLogitRule } from './scores/maximumLogit.js';
import { MaximumProbability, maximumProbabilityRule } from './scores/maximumProbability.js';
import { MutualInformation, mutualInformationRule } from './scores/mutualInformation.js';
import { OutputVariance, outputVarianceRule } from './scores/outputVariance.js';

/** Decodes a score. */
export const Scores = taggedUnion(
  'a score of inputs',
  Entropy,
  ExpectedEntropy,
  MutualInformation,
  MaximumProbability,
  MaximumLogit,
  Energy,
  OutputVariance,
  DetectorValue,
);

/** How unlike the training data an input is: the higher, the more. */
export type DetectionScore = Flat<(typeof Scores)['_A']>;

/** A score, or its tag: 'entropy', 'energy', …; or what `fitDetector` has fitted. */
export type DetectionScoreInput = InputOf<typeof Scores>;

const RULES: { readonly [T in DetectionScore['_tag']]: ScoreRule<Extract<DetectionScore, { readonly _tag: T }>> } = {
  entropy: entropyRule,
  expectedEntropy: expectedEntropyRule,
  mutualInformation: mutualInformationRule,
  maximumProbability: maximumProbabilityRule,
  maximumLogit: maximumLogitRule,
  energy: energyRule,
  outputVariance: outputVarianceRule,
  detector: detectorRule,
};

/** The rule of a score. */
export const ruleOf = ({ _tag }: DetectionScore): ScoreRule<DetectionScore> =>
  RULES[_tag] as unknown as ScoreRule<DetectionScore>;

/** The scores that nothing has to be fitted for. */
export const UNFITTED: ReadonlyArray<Exclude<DetectionScore['_tag'], 'detector'>> = [
  'entropy',
  'expectedEntropy',
  'mutualInformation',
  'maximumProbability',
  'maximumLogit',
  'energy',
  'outputVariance',
];

/** What a table calls a score: a detector by its method. */
export const nameOf = (score: DetectionScore): string => (score._tag === 'detector' ? score.map._tag : score._tag);
