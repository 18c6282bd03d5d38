/**
 * Vector and matrix scaling: softmax(W z + b) of the log-probabilities z = log p, with a diagonal W (vector) or a whole one (matrix). Both
 * minimise, by L-BFGS from the identity,
 *
 *   1/N Σ_i −log softmax(W z_i + b)[y_i] + λ/2 (‖W − I‖² + ‖b‖²),
 *
 * which is strictly convex for λ > 0. At the identity the penalty is 0: so the NLL of the held-out labels is not above what it was. On
 * logits instead of log-probabilities W would see the constant of each row too. Reference: Guo et al. 2017, section 4.2; a
 * penalty on the distance from the identity as in Kull et al. 2019, section 3, though theirs is on off-diagonal weights and biases alone.
 */
import { array, defaulted, finite, make, type Options, positive, variant } from '../codec/index.js';
import { type Evaluation, minimise } from '../linalg/lbfgs.js';
import type { NumberRows } from '../metrics/rows.js';
import { crossEntropy, logProbabilities, softmax } from './logits.js';
import type { CalibrationRule } from './rule.js';

const numbers = array('a list of numbers', finite);

export const VectorMethod = variant('vector', {
  /** λ > 0; default 0.001. */
  penalty: defaulted(positive, 1e-3),
});
export const MatrixMethod = variant('matrix', {
  /** λ > 0; default 0.01, because C² + C numbers fit more than 2 C. */
  penalty: defaulted(positive, 1e-2),
});
export const VectorMap = variant('vector', {
  /** The diagonal of W, [C]. */
  weights: numbers,
  /** b, [C]. */
  biases: numbers,
});
export const MatrixMap = variant('matrix', {
  /** The rows of W, [C][C]. */
  weights: array('a list of rows', numbers),
  /** b, [C]. */
  biases: numbers,
});

/** Options of `vectorScaling`. */
export type VectorOptions = Options<typeof VectorMethod>;
/** Options of `matrixScaling`. */
export type MatrixOptions = Options<typeof MatrixMethod>;

/**
 * Vector scaling for `fitCalibrator` (Guo et al. 2017): a factor and a bias for the log-probability of each class.
 *
 * @throws LaplaceError `InvalidOption` for a penalty that is not a finite number > 0.
 *
 * @example
 * ```ts
 * import { vectorScaling } from 'tfjs-laplace';
 *
 * vectorScaling(); // => { _tag: 'vector', penalty: 0.001 }
 * ```
 */
export const vectorScaling = (options: VectorOptions = {}): (typeof VectorMethod)['_A'] =>
  make('vectorScaling', VectorMethod, options, 'vector');

/**
 * Matrix scaling for `fitCalibrator` (Guo et al. 2017): a whole matrix of weights for the log-probabilities, and biases. It has C² + C
 * numbers: for many classes take vector scaling.
 *
 * @throws LaplaceError `InvalidOption` for a penalty that is not a finite number > 0.
 *
 * @example
 * ```ts
 * import { matrixScaling } from 'tfjs-laplace';
 *
 * matrixScaling({ penalty: 0.1 }); // => { _tag: 'matrix', penalty: 0.1 }
 * ```
 */
export const matrixScaling = (options: MatrixOptions = {}): (typeof MatrixMethod)['_A'] =>
  make('matrixScaling', MatrixMethod, options, 'matrix');

/** Where the weight from class k to class c lies among the parameters; -1 if there is none. The biases lie behind all weights. */
export interface Shape {
  readonly weights: number;
  readonly at: (c: number, k: number) => number;
  /** The classes k with a weight to class c. */
  readonly inputs: (c: number) => ReadonlyArray<number>;
}

export const diagonal = (C: number): Shape => ({ weights: C, at: (c) => c, inputs: (c) => [c] });
export const whole = (C: number): Shape => {
  const all = Array.from({ length: C }, (_, k) => k);
  return { weights: C * C, at: (c, k) => c * C + k, inputs: () => all };
};

const identityOf = ({ weights, at }: Shape, C: number): Float64Array => {
  const x = new Float64Array(weights + C);
  for (let c = 0; c < C; c++) x[at(c, c)] = 1;
  return x;
};

/** W z + b. */
const transformed = ({ weights, at, inputs }: Shape, x: ArrayLike<number>, z: Float64Array): Float64Array =>
  z.map((_, c) => inputs(c).reduce((sum, k) => sum + (x[at(c, k)] as number) * (z[k] as number), x[weights + c] as number));

/** The penalised mean NLL of parameters, and its gradient. `logits` are log-probabilities [N][C]. */
export function objective(
  shape: Shape,
  logits: ReadonlyArray<Float64Array>,
  labels: ArrayLike<number>,
  penalty: number,
): (x: Float64Array) => Evaluation {
  const C = logits[0]?.length as number;
  const identity = identityOf(shape, C);
  return (x) => {
    const gradient = x.map((v, i) => penalty * (v - (identity[i] as number)));
    let value = 0.5 * penalty * x.reduce((sum, v, i) => sum + (v - (identity[i] as number)) ** 2, 0);
    logits.forEach((z, i) => {
      const y = labels[i] as number;
      const out = transformed(shape, x, z);
      value += crossEntropy(out, y) / logits.length;
      softmax(out).forEach((p, c) => {
        const residual = (p - (c === y ? 1 : 0)) / logits.length;
        for (const k of shape.inputs(c))
          gradient[shape.at(c, k)] = (gradient[shape.at(c, k)] as number) + residual * (z[k] as number);
        gradient[shape.weights + c] = (gradient[shape.weights + c] as number) + residual;
      });
    });
    return { value, gradient };
  };
}

function fitted(shape: Shape, rows: NumberRows, labels: ArrayLike<number>, penalty: number): Float64Array {
  const C = rows[0]?.length as number;
  return minimise(objective(shape, rows.map(logProbabilities), labels, penalty), identityOf(shape, C));
}

const list = (values: Float64Array): ReadonlyArray<number> => Object.freeze(Array.from(values));

export const vectorRule: CalibrationRule<(typeof VectorMethod)['_A'], (typeof VectorMap)['_A']> = {
  fit: ({ penalty }, rows, labels) => {
    const C = rows[0]?.length as number;
    const x = fitted(diagonal(C), rows, labels, penalty);
    return Object.freeze({ _tag: 'vector', weights: list(x.slice(0, C)), biases: list(x.slice(C)) });
  },
  apply: ({ weights, biases }, row) => softmax(transformed(diagonal(row.length), [...weights, ...biases], logProbabilities(row))),
  suits: ({ weights, biases }, C) => weights.length === C && biases.length === C,
};

export const matrixRule: CalibrationRule<(typeof MatrixMethod)['_A'], (typeof MatrixMap)['_A']> = {
  fit: ({ penalty }, rows, labels) => {
    const C = rows[0]?.length as number;
    const x = fitted(whole(C), rows, labels, penalty);
    const weights = Object.freeze(Array.from({ length: C }, (_, c) => list(x.slice(c * C, (c + 1) * C))));
    return Object.freeze({ _tag: 'matrix', weights, biases: list(x.slice(C * C)) });
  },
  apply: ({ weights, biases }, row) =>
    softmax(transformed(whole(row.length), [...weights.flat(), ...biases], logProbabilities(row))),
  suits: ({ weights, biases }, C) => [biases, weights, ...weights].every(({ length }) => length === C),
};
