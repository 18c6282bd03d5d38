/** A link of one's own: the given functions, and checks of the numbers that they return. */
import { func, make, type Options, optional, text, variant } from '../../codec/index.js';
import { laplaceError } from '../../errors.js';
import type { ClassMoments, LinkRule } from './link.js';
import type { OutputCovariance } from './outputCovariance.js';

/** What a function of a custom link returns for one row of C outputs. */
export interface LinkedMoments {
  /** Mean probabilities E[p], [C]. */
  readonly probabilities: ArrayLike<number>;
  /** Standard deviations of the probabilities under the posterior, [C]. */
  readonly standardDeviations: ArrayLike<number>;
  /** Expected entropy E[H(p)] in nats, summed over independent labels. */
  readonly expectedEntropy: number;
}

export const CustomLink = variant('customLink', {
  /** Says in errors which link this is. */
  name: text,
  /** Moments of the probabilities of C classes, from the mean [C] and covariance of their outputs. */
  classes: func<(mean: Float64Array, covariance: OutputCovariance) => LinkedMoments>(
    'a function (mean, covariance) => moments of the probabilities',
  ),
  /** The same of independent labels, from mean and variance [C] of their outputs; only `bernoulli` needs it. */
  labels: optional(
    func<(mean: Float64Array, variance: Float64Array) => LinkedMoments>(
      'a function (mean, variance) => moments of the probabilities',
    ),
  ),
});

/** The value of `customLink`. */
type Value = (typeof CustomLink)['_A'];

/** Options of `customLink`. */
export type CustomLinkOptions = Options<typeof CustomLink>;

/**
 * A link of one's own for `linearised`: it makes probabilities of the Gaussian f ~ N(mean, covariance) over the outputs of one example (of
 * one step under `perStep`). Its functions get and return numbers on the host, once for each example.
 *
 * `covariance.variance` [C] is the diagonal. `covariance.full` [C, C], row by row, is there for up to 64 outputs.
 *
 * The value holds functions: `encodeRecipe` refuses it, `structuredClone` and `postMessage` throw a DataCloneError.
 *
 * @throws LaplaceError `InvalidOption` for a missing function. The stream of predictions ends with an `InvalidOption` where a function
 * returns another number of values than there are outputs, or where labels are predicted without `labels`, and with a `NotFinite` for NaN
 * or infinity.
 *
 * @example
 * ```ts
 * import { customLink, linearised } from 'tfjs-laplace';
 *
 * // The softmax of the mean outputs: a point in place of the posterior.
 * const plugIn = customLink({
 *   name: 'plug-in',
 *   classes: (mean) => {
 *     const weights = mean.map((f) => Math.exp(f - Math.max(...mean)));
 *     const sum = weights.reduce((total, weight) => total + weight, 0);
 *     const p = weights.map((weight) => weight / sum);
 *     return {
 *       probabilities: p,
 *       standardDeviations: p.map(() => 0),
 *       expectedEntropy: p.reduce((sum, q) => sum - (q > 0 ? q * Math.log(q) : 0), 0),
 *     };
 *   },
 * });
 * linearised({ link: plugIn })._tag; // => 'linearised'
 * ```
 */
export const customLink = (options: CustomLinkOptions): Value => make('customLink', CustomLink, options);

/** The rule made of the given functions. */
export const customLinkRule = ({ name, classes, labels }: Value): LinkRule => ({
  classes: (mean, covariance) => checked(name, 'classes', mean.length, classes(mean, covariance)),
  labels: (mean, variance) => {
    if (labels === undefined) throw noLabels(name);
    return checked(name, 'labels', mean.length, labels(mean, variance));
  },
  isDrawn: false,
});

/** What a function returned for C outputs, as float64; throws where it has another shape or is not finite. */
function checked(name: string, field: 'classes' | 'labels', C: number, found: LinkedMoments): ClassMoments {
  const numbers = (part: 'probabilities' | 'standardDeviations'): Float64Array => {
    const length = found[part]?.length;
    if (length !== C) {
      throw laplaceError('InvalidOption', {
        what: `${field} of link '${name}' returned ${part} of another shape`,
        field,
        found: length === undefined ? 'no numbers' : `[${length}]`,
        expected: `[${C}], a number for each output`,
      });
    }
    return finite(part, Float64Array.from(found[part]));
  };
  const finite = (part: string, values: Float64Array): Float64Array => {
    if (values.every(Number.isFinite)) return values;
    throw laplaceError('NotFinite', {
      what: `${field} of link '${name}' returned ${part} that are not finite`,
      field,
      found: String(values.find((v) => !Number.isFinite(v))),
      expected: 'finite numbers',
    });
  };
  const probabilities = numbers('probabilities');
  const standardDeviations = numbers('standardDeviations');
  finite('expectedEntropy', Float64Array.of(found.expectedEntropy));
  return { probabilities, standardDeviations, expectedEntropy: found.expectedEntropy };
}

const noLabels = (name: string) =>
  laplaceError('InvalidOption', {
    what: `Link '${name}' cannot make probabilities of independent labels`,
    field: 'labels',
    found: 'no labels function',
    expected: 'labels: (mean, variance) => moments of the probabilities, for the bernoulli likelihood',
    remedy: "Give customLink a labels function, or use another link, such as 'probit'.",
  });
