/**
 * From sums to the Kronecker factors of each layer's curvature N · (A ⊗ G): A = ΣA / count [n, n], G = ΣG / count [m, m],
 * made symmetric. For `kfra` the recursion runs here, once, at the weights that the factors carry:
 *
 *   H_L = E[Λ],   H_l = (W_{l+1} H_{l+1} W_{l+1}ᵀ) ⊙ E[φ'(z_l) φ'(z_l)ᵀ],   the bias row of W left out
 *
 * (Botev, Ritter & Barber 2017, eq. 20; Ritter, Botev & Barber 2018).
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { multiply, transpose } from '../linalg/matrix.js';
import type { Matrix } from '../types.js';
import type { Factors, LayerLayout } from './factors.js';

/** The two factors of one layer: means over examples. */
export interface LayerMoments {
  readonly layout: LayerLayout;
  /** W [n, m]. */
  readonly weights: Matrix;
  /** A [n, n]. */
  readonly input: Matrix;
  /** G [m, m]. */
  readonly gradient: Matrix;
}

/** A and G of every layer of the layout. Fails on factors without an example or with a number that is not finite. */
export function moments(factors: Factors): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> {
  const { count, layout, layers, weights } = factors;
  if (!(count > 0)) {
    return E.left(
      laplaceError('Empty', {
        what: 'The factors count no example',
        field: 'count',
        found: String(count),
        expected: 'at least one observed batch',
        remedy: 'Observe training data first; with a callback, check that the observed epochs were reached.',
      }),
    );
  }
  const means = layout.layers.map((layer, i) => ({
    layout: layer,
    weights: weights[i] as Matrix,
    input: symmetricMean(layers[i]?.input as Matrix, count),
    gradient: symmetricMean(layers[i]?.gradient as Matrix, count),
  }));
  const broken = means.find((m) => !allFinite(m.input) || !allFinite(m.gradient));
  if (broken !== undefined) {
    return E.left(
      laplaceError('NotFinite', {
        what: `The factors of layer '${broken.layout.name}' hold a number that is not finite`,
        layer: broken.layout.name,
        field: allFinite(broken.input) ? 'gradient' : 'input',
        found: 'NaN or Infinity',
        expected: 'finite numbers',
        remedy: 'Look for NaN in the data or weights, or for inputs beyond the range of float32.',
      }),
    );
  }
  return E.right(layout.estimator === 'kfra' ? recurse(means) : means);
}

function recurse(layers: ReadonlyArray<LayerMoments>): ReadonlyArray<LayerMoments> {
  const result = [...layers];
  for (let l = layers.length - 2; l >= 0; l--) {
    const layer = layers[l] as LayerMoments;
    const next = result[l + 1] as LayerMoments;
    const inputs = layer.layout.m;
    const kernel = { rows: inputs, cols: next.layout.m, data: next.weights.data.subarray(0, inputs * next.layout.m) };
    const through = multiply(multiply(kernel, next.gradient), transpose(kernel));
    const data = through.data.map((v, i) => v * (layer.gradient.data[i] as number));
    result[l] = { ...layer, gradient: symmetricMean({ rows: inputs, cols: inputs, data }, 1) };
  }
  return result;
}

function symmetricMean({ rows, cols, data }: Matrix, count: number): Matrix {
  const mean = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const v = ((data[i * cols + j] as number) + (data[j * cols + i] as number)) / (2 * count);
      mean[i * cols + j] = v;
      mean[j * cols + i] = v;
    }
  }
  return { rows, cols, data: mean };
}

const allFinite = ({ data }: Matrix): boolean => data.every(Number.isFinite);
