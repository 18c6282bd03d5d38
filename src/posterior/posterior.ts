/**
 * The posterior: for every covered layer a matrix-normal distribution over W [n, m],
 *
 *   W = M + √T · U_A (S ⊙ E) U_Gᵀ,   E standard normal,   A = U_A diag(α) U_Aᵀ,   G = U_G diag(γ) U_Gᵀ.
 *
 * `exact` damping:    S_ij² = 1 / (N α_i γ_j + τ), the exact inverse of N (A ⊗ G) + τ I.
 * `factored` damping: S_ij² = 1 / ((√N α_i + √τ) (√N γ_j + √τ)), Ritter, Botev & Barber 2018, eq. 8.
 *
 * Both live in the same eigenbasis, so that another τ, T or damping needs no new decomposition. Every other structure has the same
 * form: a diagonal block has the identity for bases and λ in place of α_i γ_j, EKFAC has λ along the eigenvectors, an embedding the
 * identity and its counts on the input side, `full` one column with all weights. The layers of a λ are damped exactly, N λ + τ. A posterior is a frozen value of
 * host arrays: it can be cloned into a worker, stored, and shared. Building one costs O(n³ + m³) a layer, once.
 */
import { either as E, function as F, readonlyArray as RA } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import type { Factors } from '../curvature/factors.js';
import type { LayerLayout, Structure } from '../curvature/layout.js';
import { type LayerMoments, moments } from '../curvature/moments.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Likelihood } from '../likelihood/codec.js';
import type { LinalgEngine, SymmetricEigen } from '../linalg/engine.js';
import type { Matrix } from '../types.js';
import type { Damping, Prior } from './codec.js';
import { precisionsOf } from './prior.js';

/** Orthonormal directions on one side of W, and the curvature along them. */
export interface Basis {
  /** Eigenvalues >= 0 of the side's factor, [P·d]; empty where the layer has a `spectrum` of its own. */
  readonly values: Float64Array;
  /** Columns, [d, d] for each of the P groups, on top of each other; the identity without. */
  readonly vectors?: Matrix;
}

/** The distribution of one layer's weights. */
export interface PosteriorLayer {
  readonly name: string;
  readonly structure: Structure;
  /** P: groups of equal size with a block of their own each; 1 but for depthwise convolutions and normalisations. */
  readonly groups: number;
  /** Rows of W in a group: inputs, plus one for the bias. */
  readonly n: number;
  /** Columns of W: outputs. */
  readonly m: number;
  readonly bias: boolean;
  /** Of `full`: the layers whose weights, row by row, are the one column. */
  readonly members?: ReadonlyArray<string>;
  /** M, the trained weights [P·n, m], the bias as the last row of each group. */
  readonly mean: Matrix;
  /** U_A [n, n] and α [n] >= 0. */
  readonly input: Basis;
  /** U_G [m, m] and γ [m] >= 0. */
  readonly gradient: Basis;
  /** λ [P·n, m] >= 0, the curvature of one example along the directions, where it is no product α_i γ_j (EKFAC, diagonals). */
  readonly spectrum?: Matrix;
  /** τ of this layer. */
  readonly priorPrecision: number;
}

/** A Kronecker-factored Gaussian over the weights of the covered layers; the other layers stay at their MAP. */
export interface Posterior {
  readonly _tag: 'Posterior';
  readonly layers: ReadonlyArray<PosteriorLayer>;
  readonly damping: Damping;
  readonly likelihood: Likelihood;
  /** N: training examples that the posterior stands for. */
  readonly datasetSize: number;
  /** Of the model's weights at the mean. */
  readonly fingerprint: string;
  /** Σ log p(y | f) over the training data, in nats. */
  readonly logLikelihood: number;
}

/** What a posterior needs beside factors. */
export interface PosteriorOptions {
  readonly prior: Prior;
  readonly damping: Damping;
  /** Layers to cover; `'all'` are those of the factors. */
  readonly layers: LayerSelection;
  /** N; the factors' own unless given (a model that was observed on a part of its training data, say). */
  readonly datasetSize?: number;
}

/** Called after each layer's decompositions; they are what takes the time. */
export type OnLayer = (done: number, total: number, layer: string) => void;

/**
 * Builds the posterior from factors: pure, apart from the engine that does the linear algebra.
 *
 * @returns `Empty` or `NotFinite` for unusable factors, `NoBayesianLayer` for a selection that names none, `InvalidOption` for
 *   a prior that does not fit, `InvalidInput` for factors that are not positive semi-definite.
 */
export function posteriorOf(
  factors: Factors,
  options: PosteriorOptions,
  engine: LinalgEngine,
  onLayer: OnLayer = () => {},
): E.Either<LaplaceError, Posterior> {
  const { prior, damping, datasetSize = factors.datasetSize } = options;
  return F.pipe(
    moments(factors),
    E.chain((all) => select(all, factors, options.layers)),
    E.chain((chosen) => checkedSize(chosen, datasetSize)),
    // Before the decompositions, which may take minutes.
    E.bindTo('chosen'),
    E.bind('precisions', ({ chosen }) => precisionsOf(prior, namesOf(chosen.map((c) => c.layout)))),
    E.chain(({ chosen, precisions }) =>
      RA.traverseWithIndex(E.Applicative)((i, layer: LayerMoments) =>
        F.pipe(
          directions(layer, engine),
          E.map((parts): PosteriorLayer => {
            onLayer(i + 1, chosen.length, layer.layout.name);
            const mean = Object.freeze({ ...layer.weights });
            return Object.freeze({ ...layer.layout, mean, ...parts, priorPrecision: precisions[i] as number });
          }),
        ),
      )(chosen),
    ),
    E.map((layers) =>
      Object.freeze({
        _tag: 'Posterior' as const,
        layers: Object.freeze(layers),
        damping: Object.freeze({ ...damping }),
        likelihood: Object.freeze({ ...factors.layout.likelihood }),
        datasetSize,
        fingerprint: factors.fingerprint,
        logLikelihood: (factors.logLikelihood / factors.count) * datasetSize,
      }),
    ),
  );
}

/** The same posterior under another prior. O(layers): nothing is decomposed anew. */
export const withPrior = (posterior: Posterior, prior: Prior): E.Either<LaplaceError, Posterior> =>
  F.pipe(
    precisionsOf(prior, namesOf(posterior.layers)),
    E.map((precisions) => posterior.layers.map((l, i) => Object.freeze({ ...l, priorPrecision: precisions[i] as number }))),
    E.map((layers) => Object.freeze({ ...posterior, layers: Object.freeze(layers) })),
  );

/** The same posterior with the other damping. */
export const withDamping = (posterior: Posterior, damping: Damping): Posterior =>
  Object.freeze({ ...posterior, damping: Object.freeze({ ...damping }) });

const namesOf = (layers: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> => layers.map((l) => l.name);

function select(
  all: ReadonlyArray<LayerMoments>,
  factors: Factors,
  layers: LayerSelection,
): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> {
  const covered = all.filter((l) => factors.layout.covered.includes(l.layout.name));
  if (layers === 'all') return E.right(covered);
  if (layers === 'last') return E.right(covered.slice(-1));
  const known = namesOf(covered.map((c) => c.layout));
  const missing = layers.filter((name) => !known.includes(name));
  if (layers.length > 0 && missing.length === 0) return E.right(covered.filter((l) => layers.includes(l.layout.name)));
  return E.left(
    laplaceError('NoBayesianLayer', {
      what: 'The factors do not cover every layer that was asked for',
      field: 'layers',
      found: missing.join(', ') || 'no name',
      expected: `names out of: ${known.join(', ')}`,
      remedy: 'Observe those layers too: see the layers option of the curvature.',
    }),
  );
}

const checkedSize = <A>(value: A, datasetSize: number): E.Either<LaplaceError, A> =>
  datasetSize > 0 && Number.isFinite(datasetSize)
    ? E.right(value)
    : E.left(
        laplaceError('InvalidOption', {
          what: 'datasetSize is out of range',
          field: 'datasetSize',
          found: String(datasetSize),
          expected: 'a finite number > 0',
        }),
      );

type Directions = Pick<PosteriorLayer, 'input' | 'gradient' | 'spectrum'>;

const NONE = new Float64Array(0);

/** The eigenbases of a layer and the curvature along them. */
function directions(layer: LayerMoments, engine: LinalgEngine): E.Either<LaplaceError, Directions> {
  if (layer._tag === 'diagonal') {
    const { squares, basis = {} } = layer;
    const side = (vectors: Matrix | undefined): Basis => Object.freeze({ values: NONE, ...(vectors && { vectors }) });
    return E.right({ input: side(basis.input), gradient: side(basis.gradient), spectrum: Object.freeze({ ...squares }) });
  }
  const { layout, input, gradient } = layer;
  return F.pipe(
    E.Do,
    E.bind('input', () =>
      layout.structure === 'embedding'
        ? E.right(Object.freeze({ values: input.data }))
        : decompose(layout, 'input', input, engine),
    ),
    E.bind('gradient', () => decompose(layout, 'gradient', gradient, engine)),
  );
}

/** Eigendecompositions of the groups of one factor, [P·d, d]. */
function decompose(
  layout: LayerLayout,
  side: 'input' | 'gradient',
  { cols: d, data }: Matrix,
  engine: LinalgEngine,
): E.Either<LaplaceError, Basis> {
  const groups = Array.from({ length: data.length / (d * d) }, (_, p) => data.subarray(p * d * d, (p + 1) * d * d));
  return F.pipe(
    groups,
    E.traverseArray((group) =>
      F.pipe(
        engine.symmetricEigen({ rows: d, cols: d, data: group }),
        E.chain((eigen) => semidefinite(layout.name, side, eigen)),
      ),
    ),
    E.map((parts) => (parts.length === 1 ? Object.freeze(parts[0] as SymmetricEigen) : joined(parts, d))),
  );
}

function joined(parts: ReadonlyArray<SymmetricEigen>, d: number): Basis {
  const values = new Float64Array(parts.length * d);
  const vectors = new Float64Array(parts.length * d * d);
  parts.forEach((part, p) => {
    values.set(part.values, p * d);
    vectors.set(part.vectors.data, p * d * d);
  });
  return Object.freeze({ values, vectors: Object.freeze({ rows: parts.length * d, cols: d, data: vectors }) });
}

/** Eigenvalues below zero by rounding become 0; below that the matrix is no second moment. */
function semidefinite(layer: string, side: string, { values, vectors }: SymmetricEigen): E.Either<LaplaceError, SymmetricEigen> {
  const d = values.length;
  const largest = values[d - 1] as number;
  const smallest = values[0] as number;
  // Sums of float32 products: each entry is off by a few 2⁻²³ of the largest, their spectral norm by at most d of that.
  const rounding = d * 2 ** -23 * Math.abs(largest);
  if (smallest >= -rounding) return E.right({ values: values.map((v) => Math.max(v, 0)), vectors });
  return E.left(
    laplaceError('InvalidInput', {
      what: `The ${side} factor of layer '${layer}' is not positive semi-definite`,
      layer,
      field: side,
      found: `an eigenvalue of ${smallest} beside ${largest}`,
      expected: 'eigenvalues >= 0 up to rounding',
      remedy: 'Factors are sums of outer products: these were changed or damaged on their way.',
    }),
  );
}
