/**
 * The posterior: for every covered layer a matrix-normal distribution over W [n, m],
 *
 *   W = M + √T · U_A (S ⊙ E) U_Gᵀ,   E standard normal,   A = U_A diag(α) U_Aᵀ,   G = U_G diag(γ) U_Gᵀ.
 *
 * `exact` damping:    S_ij² = 1 / (N α_i γ_j + τ), the exact inverse of N (A ⊗ G) + τ I.
 * `factored` damping: S_ij² = 1 / ((√N α_i + √τ) (√N γ_j + √τ)), Ritter, Botev & Barber 2018, eq. 8.
 *
 * Here M is the trained weights, T the temperature, N the number of examples and τ the prior precision. Both dampings use the
 * same eigenbasis, so another τ, T or damping needs no new decomposition. `structure/` holds the forms of the other structures.
 *
 * A posterior is a plain value of host arrays, frozen at every level. It can be cloned into a worker, stored, and shared.
 * Building one costs O(n³ + m³) for each layer, once.
 */
import { either as E, function as F, taskEither as TE } from 'fp-ts';
import { accepted, type LayerSelection, LayerSelectionCodec, optional, positive, struct } from '../codec/index.js';
import type { Factors } from '../curvature/factors.js';
import type { Rotation } from '../curvature/layout.js';
import { type LayerMoments, means } from '../curvature/means.js';
import { recursed } from '../curvature/moments.js';
import { dual, ifTagged } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import type { Likelihood } from '../likelihood/index.js';
import type { AsyncLinalgOperations, LinalgOperations } from '../linalg/engine.js';
import type { Matrix } from '../types.js';
import { PriorCodec } from './codec.js';
import { type Damping, DampingCodec } from './damping.js';
import { type Prior, precisionsOf } from './priors.js';
import { type Distributed, posteriorStructure } from './structure/index.js';
import type { Planned } from './structure/structure.js';

/**
 * The distribution of one layer's weights: its structure, and the structure's matrices by name.
 *
 * | structure | parts |
 * |---|---|
 * | `kronecker`, `embedding`, `inputDiagonal`, `full` | `inputValues` α [P·n, 1] and `gradientValues` γ [P·m, 1]: eigenvalues >= 0, whose products are the curvature of one example; `inputVectors` U_A [P·n, n] and `gradientVectors` U_G [P·m, m]: eigenvectors as columns, the identity if absent |
 * | `diagonal`, `eigen` | `curvature` λ [P·n, m]: the curvature of one example along each direction; `inputVectors` and `gradientVectors` as above |
 * | `lowRank` | `inputValues` and `inputVectors` as above; `diagonal` δ [m, 1]; `rankValues` λ [r, 1] and `rankVectors` B [m, r], with G = diag(δ) + B diag(λ) Bᵀ; the last two are absent if G is diagonal |
 */
export type PosteriorLayer = Distributed & {
  readonly name: string;
  /**
   * The names of the blocks whose weights the layer holds: only `name`, or for `full` all covered blocks, row by row in one
   * column.
   */
  readonly members: ReadonlyArray<string>;
  /** P, the number of groups of equal size with a block of their own; 1 except for depthwise convolutions and normalisations. */
  readonly groups: number;
  /** Rows of W in a group: inputs, and one for the bias. */
  readonly n: number;
  /** Columns of W: outputs. */
  readonly m: number;
  readonly bias: boolean;
  /** M [P·n, m], the trained weights. The bias is the last row of each group. */
  readonly mean: Matrix;
  /** τ, the prior precision of this layer. */
  readonly priorPrecision: number;
};

/** A Kronecker-factored Gaussian over the weights of the covered layers; the other layers stay at their MAP. */
export interface Posterior {
  readonly _tag: 'Posterior';
  readonly layers: ReadonlyArray<PosteriorLayer>;
  readonly damping: Damping;
  readonly likelihood: Likelihood;
  /** N, the number of training examples that the posterior stands for. */
  readonly datasetSize: number;
  /** Identifies the model's weights at the mean. */
  readonly fingerprint: string;
  /** Σ log p(y | f) over the training data, in nats. */
  readonly logLikelihood: number;
}

/** What `posteriorOf` needs beside factors. */
export interface PosteriorOptions {
  readonly prior: Prior;
  readonly damping: Damping;
  /** The layers to cover. `'all'` means all layers that the factors cover. */
  readonly layers: LayerSelection;
  /** N. Default: the `datasetSize` of the factors. Give it for a model that was observed on only a part of its training data. */
  readonly datasetSize?: number;
}

const Options = struct('options', {
  prior: PriorCodec,
  damping: DampingCodec,
  layers: LayerSelectionCodec,
  datasetSize: optional(positive),
});

/** Throws `InvalidOption` for options that are wrong for any factors. `what` names the function that takes them. */
export const checkPosteriorOptions = (
  what: string,
  { prior, damping, layers, datasetSize }: PosteriorOptions,
): PosteriorOptions => accepted(what, Options, { prior, damping, layers, datasetSize });

/**
 * Reports progress: called once before the first decomposition, and after each layer with the layer's name. The decompositions
 * take most of the time.
 */
export type OnLayer = (done: number, total: number, layer?: string) => void;

/**
 * Builds the posterior from factors. It is pure, apart from the engine that does the linear algebra.
 *
 * @returns the posterior, or an error: `Empty` or `NotFinite` for unusable factors, `NoBayesianLayer` if the selection names a
 *   layer that the factors do not cover, `InvalidOption` for a prior that does not fit the layers, `InvalidInput` for factors that
 *   are not positive semi-definite.
 * @throws LaplaceError `InvalidOption` for an option that no factors suit, such as a prior precision of 0.
 */
export function posteriorOf(
  options: PosteriorOptions,
  engine: Engine,
  onLayer?: OnLayer,
): (factors: Factors) => E.Either<LaplaceError, Posterior>;
export function posteriorOf(
  factors: Factors,
  options: PosteriorOptions,
  engine: Engine,
  onLayer?: OnLayer,
): E.Either<LaplaceError, Posterior>;
export function posteriorOf(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifTagged('Factors'), (options: PosteriorOptions, engine: Engine, onLayer: OnLayer = () => {}) => {
    const own = checkPosteriorOptions('posteriorOf', options);
    return (factors: Factors) => built(factors, own, engine, onLayer);
  });
}

type Engine = Pick<LinalgOperations, 'symmetricEigen' | 'multiply'>;

const built = (
  factors: Factors,
  options: PosteriorOptions,
  engine: Engine,
  onLayer: OnLayer,
): E.Either<LaplaceError, Posterior> =>
  F.pipe(
    means(factors),
    E.chain((found) => recursed(E.Monad)(factors.layout, found, engine.multiply)),
    E.chain((all) => planned(all, factors, options)),
    E.bindTo('plan'),
    E.bind('layers', ({ plan }) => {
      const count = counter(plan, onLayer);
      return F.pipe(
        plan.layers,
        E.traverseArray((layer) =>
          F.pipe(layer.asks, E.traverseArray(engine.symmetricEigen), E.chain(layer.build), E.map(count(layer))),
        ),
      );
    }),
    E.map(({ plan, layers }) => assembled(factors, options, plan, layers)),
  );

/**
 * `posteriorOf` for asynchronous engines. It asks for all decompositions of all layers at once, and the engine runs as many in
 * parallel as it can. Layers may finish in any order.
 */
export const posteriorTask = (
  factors: Factors,
  options: PosteriorOptions,
  engine: Pick<AsyncLinalgOperations, 'symmetricEigen' | 'multiply'>,
  onLayer: OnLayer = () => {},
): TE.TaskEither<LaplaceError, Posterior> =>
  F.pipe(
    TE.fromIOEither(() => means(factors)),
    TE.chain((found) => recursed(TE.Monad)(factors.layout, found, engine.multiply)),
    TE.chainEitherK((all) => planned(all, factors, options)),
    TE.bindTo('plan'),
    TE.bind('layers', ({ plan }) => {
      const count = counter(plan, onLayer);
      return F.pipe(
        plan.layers,
        TE.traverseArray((layer) =>
          F.pipe(layer.asks, TE.traverseArray(engine.symmetricEigen), TE.chainEitherK(layer.build), TE.map(count(layer))),
        ),
      );
    }),
    TE.map(({ plan, layers }) => assembled(factors, options, plan, layers)),
  );

/** A layer before its matrices are decomposed. */
interface PlannedLayer extends Planned<PosteriorLayer> {
  readonly name: string;
}

interface Plan {
  readonly layers: ReadonlyArray<PlannedLayer>;
  readonly datasetSize: number;
}

/** Checks everything before the decompositions, which may take minutes, and plans each layer. */
function planned(all: ReadonlyArray<LayerMoments>, factors: Factors, options: PosteriorOptions): E.Either<LaplaceError, Plan> {
  const { prior, datasetSize = factors.datasetSize } = options;
  return F.pipe(
    select(all, factors, options.layers),
    E.bindTo('chosen'),
    E.bind('precisions', ({ chosen }) => precisionsOf(prior, namesOf(chosen.map((c) => c.layout)))),
    E.map(({ chosen, precisions }) => ({
      datasetSize,
      layers: chosen.map((c, i) => plannedLayer(c, rotationOf(factors, c), precisions[i] as number)),
    })),
  );
}

function plannedLayer(moments: LayerMoments, rotation: Rotation, priorPrecision: number): PlannedLayer {
  const { layout, weights: mean } = moments;
  const { name, structure, members, groups, n, m, bias } = layout;
  const { asks, build } = posteriorStructure(layout).plan(moments, rotation);
  return {
    name,
    asks,
    build: F.flow(
      build,
      E.map((parts) => frozen({ name, structure, members, groups, n, m, bias, mean, parts, priorPrecision }) as PosteriorLayer),
    ),
  };
}

const rotationOf = ({ layout, rotations }: Factors, { layout: { name } }: LayerMoments): Rotation =>
  rotations?.[layout.layers.findIndex((layer) => layer.name === name)] ?? {};

/** Calls `onLayer` once now, and once for each layer when it is done. The returned function passes the finished layer through. */
function counter(plan: Plan, onLayer: OnLayer): (layer: PlannedLayer) => (done: PosteriorLayer) => PosteriorLayer {
  let count = 0;
  onLayer(count, plan.layers.length);
  return ({ name }) =>
    (done) => {
      count++;
      onLayer(count, plan.layers.length, name);
      return done;
    };
}

const assembled = (
  factors: Factors,
  options: PosteriorOptions,
  { datasetSize }: Plan,
  layers: ReadonlyArray<PosteriorLayer>,
): Posterior =>
  Object.freeze({
    _tag: 'Posterior' as const,
    layers: Object.freeze(layers),
    damping: options.damping,
    likelihood: frozen(factors.layout.likelihood),
    datasetSize,
    fingerprint: factors.fingerprint,
    logLikelihood: (factors.logLikelihood / factors.count) * datasetSize,
  });

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
  if (missing.length === 0) return E.right(covered.filter((l) => layers.includes(l.layout.name)));
  return E.left(
    laplaceError('NoBayesianLayer', {
      what: 'The factors do not cover every layer that was asked for',
      field: 'layers',
      found: missing.join(', '),
      expected: `names out of: ${known.join(', ')}`,
      remedy: 'Observe these layers too: see the layers option of the curvature.',
    }),
  );
}
