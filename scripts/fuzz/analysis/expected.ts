/** The errors of the library that an analysis may end with, each with its reason. Any other error is a finding. */
import * as tf from '@tensorflow/tfjs';
import type { LaplaceError } from 'tfjs-laplace';
import type { Analysis, Data } from './cases.js';
import type { Head } from './heads.js';
import { reachOfDraws } from './reach.js';

/** An error, and when it is right. */
type Rule = (error: LaplaceError, analysis: Analysis, model: tf.LayersModel, data: Data) => boolean | undefined;

const tagOf = ({ choices: { curvature } }: Analysis): string =>
  typeof curvature === 'string' ? curvature : (curvature as { readonly _tag: string })._tag;

/** `kfra` is for chains of dense layers, and `lowRank` for a model whose outputs come from one dense layer on vectors. */
const unsuited: Rule = ({ kind }, analysis) => kind === 'UnsupportedLayer' && ['kfra', 'lowRank'].includes(tagOf(analysis));

/** A square of larger numbers is no float32. */
const LARGEST = 1e18;
/** exp(88) is the largest exponential in float32. Half of the exponent leaves room for a square. */
const LARGEST_EXPONENT = 44;

/** The outputs are exponents. */
const isExponential = ({ likelihood: { _tag } }: Head): boolean => _tag === 'poisson' || _tag === 'heteroscedastic';

/** By how much a slope in the outputs can grow on its way to the weights: ten standard deviations of each layer's weights, and of the inputs. */
const reachOf = ({ network: { weights }, examples }: Analysis, model: tf.LayersModel): number =>
  model.layers.filter((layer) => layer.weights.length > 0).length * Math.log(10 * Math.max(1, weights.scale)) +
  Math.log(10 * Math.max(1, examples.scale));

/**
 * The outputs of the trained network, or the squares of their slopes in the weights, leave what float32 has. The slope in an output that is
 * an exponent is as large as its exponential.
 */
const overflows: Rule = ({ kind }, analysis, model, { x }) => {
  const { heads } = analysis;
  if (kind !== 'NotFinite') return false;
  const largest = tf.tidy(() => {
    const outputs = model.predict(x.length === 1 ? (x[0] as tf.Tensor) : x);
    return [outputs].flat().map((f) => tf.max(tf.abs(f)).dataSync()[0] as number);
  });
  return heads.some(
    (head, i) => !((largest[i] as number) <= (isExponential(head) ? LARGEST_EXPONENT - reachOf(analysis, model) : LARGEST)),
  );
};

/**
 * The predictions overflow under a wide posterior, as the message says: the network's own outputs do not, but the squares of values inside a
 * draw. Outputs that are exponents do so sooner, also by the closed form of `linearised`.
 */
const isTooWide: Rule = ({ kind, message }, { heads, choices: { prior, predictive }, network, examples }) => {
  if (kind !== 'NotFinite' || !message.includes('predictive')) return false;
  const { _tag, temperature } = predictive as { readonly _tag: string; readonly temperature: number };
  const deviation = Math.sqrt(temperature / (prior as number)) + network.weights.scale;
  if (_tag !== 'linearised' && reachOfDraws(network, deviation, examples.scale) > Math.log(LARGEST)) return true;
  const isWide = (prior as number) < 1 || temperature > 1 || network.weights.scale > 1 || examples.scale > 1;
  return isWide && heads.some(isExponential);
};

/** Every label has the class weight 0, so that no example counts. */
const countsNothing: Rule = ({ kind }, { heads }) =>
  kind === 'Empty' && heads.some(({ likelihood }) => 'classWeights' in likelihood && likelihood.classWeights?.includes(0));

const RULES: ReadonlyArray<Rule> = [unsuited, overflows, isTooWide, countsNothing];

/** Whether an analysis is right to end with this error. */
export const isExpected: Rule = (...facts) => RULES.some((rule) => rule(...facts) === true);
