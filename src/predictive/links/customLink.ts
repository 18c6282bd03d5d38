/** A link of your own: the functions that you give, and checks of the numbers that they return. */
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
  /** Names the link in errors. */
  name: text,
  /** Moments of the probabilities of C classes, from the mean [C] and covariance of their outputs. */
  classes: func<(mean: Float64Array, covariance: OutputCovariance) => LinkedMoments>(
    'a function (mean, covariance) => moments of the probabilities',
  ),
  /**
   * Moments of the probabilities of independent labels, from the mean and variance [C] of their outputs. Only `bernoulli` needs
   * it.
   */
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
 * A link of your own for `linearised`. It turns the Gaussian f ~ N(mean, covariance) over the outputs of one example into
 * probabilities. Under `perStep` it does so for the outputs of each step. The functions take and return numbers on the host, and
 * run once for each example.
 *
 * `covariance.variance` [C] is the diagonal. `covariance.full` [C, C], row by row, is present for up to 64 outputs.
 *
 * The value holds functions, so it is not data: `encodeRecipe` refuses it, and `structuredClone` and `postMessage` throw a
 * DataCloneError.
 *
 * @throws LaplaceError `InvalidOption` for a missing function. The stream of predictions ends with `InvalidOption` if a function
 *   returns another number of values than there are outputs, or if labels are predicted without `labels`. It ends with
 *   `NotFinite` for NaN or infinity.
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

/** The rule of a custom link. */
export const customLinkRule = ({ name, classes, labels }: Value): LinkRule => ({
  classes: (mean, covariance) => checked(name, 'classes', mean.length, classes(mean, covariance)),
  labels: (mean, variance) => {
    if (labels === undefined) throw noLabels(name);
    return checked(name, 'labels', mean.length, labels(mean, variance));
  },
  isDrawn: false,
});

/** The values that a function returned for C outputs, as float64. Throws if they have another shape or are not finite. */
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
    what: `Link '${name}' cannot predict independent labels`,
    field: 'labels',
    found: 'no labels function',
    expected: 'labels: (mean, variance) => moments of the probabilities, for the bernoulli likelihood',
    remedy: "Give customLink a labels function, or use another link, such as 'probit'.",
  });
