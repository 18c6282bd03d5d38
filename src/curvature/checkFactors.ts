/** Whether factors of unknown origin can be what they say: those of a shard, of another machine, or of a stranger's browser. */
import { either as E } from 'fp-ts';
import { anything, argument, hasFields, ofKind, optional, optionsOf, refined, struct, text } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { largestHessianTrace } from '../likelihood/largestHessianTrace.js';
import type { LinalgEngine } from '../linalg/engine.js';
import { defaultEngine } from '../linalg/select.js';
import { attempted, orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { FACTORS, type Factors, sameLayout } from './factors.js';
import type { LayerLayout, Layout } from './layout.js';
import { type Parts, PartsCodec, partText } from './parts.js';
import { gradientSide, INPUT, partsOf, sumsOf } from './structure/index.js';
import type { SumShape } from './structure/structure.js';

/** What factors should be. What is left out is not checked. */
export interface ExpectedFactors {
  readonly layout?: Layout;
  /** Of the weights. */
  readonly fingerprint?: string;
  /** The examples that should be in the sums. */
  readonly parts?: Parts;
  /** The name of the layer whose pre-activations are the outputs f. Then the trace of its G is held to what the likelihood allows. */
  readonly outputLayer?: string;
}

const Expected = struct('what is expected', {
  layout: optional(anything),
  fingerprint: optional(text),
  parts: optional(PartsCodec),
  outputLayer: optional(text),
});

const Engine = refined('an engine on this thread', (value): value is LinalgEngine => hasFields('name', 'cholesky')(value));

/** Sums of float32 products are off by this share of their largest number. */
const ROUNDING = 1e-5;

/**
 * Checks that factors can be sums over the examples that they name: the numbers are finite, Gram matrices are symmetric and positive
 * semidefinite up to rounding, squares are not negative, the corner of A that belongs to the bias is the number of examples, and G of the
 * output layer is no larger than the likelihood allows. Nobody can tell from the sums whether the examples were the right ones.
 *
 * @param engine decomposes Gram matrices (n³ / 3 operations for one of n rows)
 * @returns the factors, or `Mismatch` if they are not those that were expected, `NotFinite`, or `InvalidInput` for sums that cannot be. The
 *   error names the layer and the field.
 * @throws LaplaceError `InvalidOption` for an unknown expectation
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, checkFactors, observe } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
 * const data = { x: tf.randomNormal([6, 2]), y: tf.range(0, 6).mod(3).toInt() };
 * const part = { dataset: 'mine', first: 0 };
 * const factors = await lastValueFrom(from(batches(data, 2)).pipe(observe(model, 'categorical'), accumulateFactors('kfac', { part })));
 * E.isRight(checkFactors(factors, { parts: [{ dataset: 'mine', first: 0, end: 6 }] })); // => true
 * E.isRight(checkFactors({ ...factors, count: 600 })); // => false
 * ```
 */
export function checkFactors(
  factors: Factors,
  expected: ExpectedFactors = {},
  engine: LinalgEngine = defaultEngine(),
): E.Either<LaplaceError, Factors> {
  const wanted = optionsOf('checkFactors', Expected, expected) as ExpectedFactors;
  argument('checkFactors', 'engine', Engine, engine);
  return attempted(() => {
    const own = orThrow(ofKind('checkFactors', FACTORS, factors));
    checkIdentity(own, wanted);
    checkCounts(own);
    own.layout.layers.forEach((layer, l) => checkLayer(own, layer, l, engine));
    if (wanted.outputLayer !== undefined) checkOutputs(own, wanted.outputLayer);
    return own;
  });
}

function checkIdentity({ layout, fingerprint, parts }: Factors, expected: ExpectedFactors): void {
  const other = (field: string, found: string, wanted: string): LaplaceError =>
    laplaceError('Mismatch', { what: 'The factors are not those that were expected', field, found, expected: wanted });
  if (expected.fingerprint !== undefined && fingerprint !== expected.fingerprint)
    throw other('fingerprint', `weights ${fingerprint}`, `weights ${expected.fingerprint}`);
  if (expected.layout !== undefined) orThrow(sameLayout(expected.layout, layout));
  const words = (own: Parts | undefined): string => own?.map(partText).join(', ') ?? 'no parts';
  if (expected.parts !== undefined && words(parts) !== words(expected.parts))
    throw other('parts', words(parts), words(expected.parts));
}

function checkCounts({ count, datasetSize, logLikelihood, rows }: Factors): void {
  for (const [field, value] of Object.entries({ count, datasetSize, logLikelihood, rows })) {
    if (!Number.isFinite(value)) throw notFinite(field, value);
    if (field !== 'logLikelihood' && value < 0) throw impossible({ field, found: String(value), expected: 'a number >= 0' });
  }
  if (count < datasetSize * (1 - ROUNDING))
    throw impossible({ field: 'count', found: `${count} counted examples`, expected: `at least N = ${datasetSize}` });
}

function checkLayer({ layers, weights, count }: Factors, layout: LayerLayout, l: number, engine: LinalgEngine): void {
  const layer = layers[l];
  if (layer?.structure !== layout.structure)
    throw impossible({ layer: layout.name, field: 'structure', found: String(layer?.structure), expected: layout.structure });
  const parts = partsOf(layer);
  const { groups, n, m, name, bias } = layout;
  checkShape(name, 'weights', weights[l], { rows: groups * n, cols: m });
  for (const [field, shape] of Object.entries(sumsOf(layout))) {
    const sum = checkShape(name, field, parts[field], shape);
    if (shape.symmetric) checkGram(name, field, sum, engine);
    else if (field !== 'sketch') checkNonNegative(name, field, sum);
    if (field === INPUT && bias) checkCorner(name, sum, { n, shape, count });
  }
}

function checkShape(
  layer: string,
  field: string,
  sum: Matrix | undefined,
  { rows, cols }: Pick<SumShape, 'rows' | 'cols'>,
): Matrix {
  if (sum?.rows !== rows || sum.cols !== cols || sum.data.length !== rows * cols) {
    const found = sum === undefined ? 'nothing' : `a matrix [${sum.rows}, ${sum.cols}] of ${sum.data.length} numbers`;
    throw impossible({ layer, field, found, expected: `a matrix [${rows}, ${cols}]` });
  }
  const broken = sum.data.find((v) => !Number.isFinite(v));
  if (broken !== undefined) throw notFinite(field, broken, layer);
  return sum;
}

const largestOf = ({ data }: Pick<Matrix, 'data'>): number => data.reduce((max, v) => Math.max(max, Math.abs(v)), 0);

function checkNonNegative(layer: string, field: string, sum: Matrix): void {
  const least = sum.data.reduce((min, v) => Math.min(min, v), 0);
  if (least < -ROUNDING * largestOf(sum))
    throw impossible({ layer, field, found: `a sum of squares of ${least}`, expected: 'numbers >= 0' });
}

/** Gram matrices [P·d, d] of groups, one on top of the other. */
function checkGram(layer: string, field: string, { cols: d, data }: Matrix, engine: LinalgEngine): void {
  for (let at = 0; at < data.length; at += d * d) {
    const block = data.slice(at, at + d * d);
    const slack = ROUNDING * largestOf({ data: block });
    if (slack === 0) continue;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < i; j++) {
        const [low, high] = [block[i * d + j] as number, block[j * d + i] as number];
        if (Math.abs(low - high) > slack)
          throw impossible({ layer, field, found: `${low} and ${high} at (${i}, ${j})`, expected: 'a symmetric matrix' });
        const both = (low + high) / 2;
        block[i * d + j] = both;
        block[j * d + i] = both;
      }
      // A matrix of d rows of rounding errors has eigenvalues up to d times as large.
      block[i * d + i] = (block[i * d + i] as number) + d * slack;
    }
    if (E.isLeft(engine.cholesky({ rows: d, cols: d, data: block })))
      throw impossible({ layer, field, found: 'a negative eigenvalue', expected: 'a positive semidefinite matrix' });
  }
}

/** The input of a bias is 1, so the last number of the diagonal counts the examples. */
function checkCorner(layer: string, sum: Matrix, { n, shape, count }: { n: number; shape: SumShape; count: number }): void {
  for (let end = n; end <= sum.rows; end += n) {
    const corner = (sum.data[end * sum.cols - 1] as number) / (shape.divisor ?? 1);
    if (Math.abs(corner - count) > ROUNDING * Math.max(corner, count))
      throw impossible({
        layer,
        field: INPUT,
        found: `a bias that counts ${corner} examples`,
        expected: `${count}, as count says`,
      });
  }
}

function checkOutputs({ layout, layers, count }: Factors, name: string): void {
  const l = layout.layers.findIndex((layer) => layer.name === name);
  const layer = layout.layers[l];
  const names = layout.layers.map((own) => own.name).join(', ');
  if (layer === undefined) throw impossible({ field: 'outputLayer', found: `no layer '${name}'`, expected: `one of ${names}` });
  if (!('fisher' in layout.estimator) || !['exact', 'truncated'].includes(layout.estimator.fisher._tag)) return;
  const { cols, data } = gradientSide(layers[l] as Factors['layers'][number]);
  const isGram = sumsOf(layer).gradient?.symmetric === true;
  if (!isGram) return;
  let trace = 0;
  for (let i = 0; i < cols; i++) trace += data[i * cols + i] as number;
  const most = count * largestHessianTrace(layout.likelihood, layout.outputs);
  if (trace > most * (1 + ROUNDING))
    throw impossible({
      layer: name,
      field: 'gradient',
      found: `a trace of ${trace}`,
      expected: `at most ${most} of ${count} examples`,
    });
}

const notFinite = (field: string, found: number, layer?: string): LaplaceError =>
  laplaceError('NotFinite', {
    what: 'The factors cannot be sums over examples',
    ...(layer !== undefined && { layer }),
    field,
    found: String(found),
    expected: 'finite numbers',
  });

const impossible = (parts: { layer?: string; field: string; found: string; expected: string }): LaplaceError =>
  laplaceError('InvalidInput', { what: 'The factors cannot be sums over examples', ...parts });
