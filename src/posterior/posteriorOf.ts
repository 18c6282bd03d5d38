/** Builds a posterior from factors: the options, and the two ways to decompose (at once, or as tasks). */
import { either as E, function as F, taskEither as TE } from 'fp-ts';
import {
  argument,
  func,
  hasFields,
  type LayerSelection,
  LayerSelectionCodec,
  ofKind,
  optional,
  optionsOf,
  positive,
  refined,
  struct,
} from '../codec/index.js';
import { FACTORS, type Factors } from '../curvature/factors.js';
import type { Rotation } from '../curvature/layout.js';
import { type LayerMoments, means } from '../curvature/means.js';
import { recursed } from '../curvature/moments.js';
import { dual, ifTagged } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import type { AsyncLinalgOperations, LinalgOperations } from '../linalg/engine.js';
import { PriorCodec } from './codec.js';
import { type Damping, DampingCodec } from './damping.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import { type Prior, precisionsOf } from './priors.js';
import { posteriorStructure } from './structure/index.js';
import type { Planned } from './structure/structure.js';

/** What `posteriorOf` needs beside factors. */
export interface PosteriorOptions {
  readonly prior: Prior;
  readonly damping: Damping;
  /** The layers to cover. `'all'` means all layers that the factors cover. */
  readonly layers: LayerSelection;
  /** N. Default: the `datasetSize` of the factors. Give it for a model that was observed on only a part of its training data. */
  readonly datasetSize?: number;
}

const OnLayerCodec = func<OnLayer>('a function (done, total, layer) => void');
const EngineCodec = refined('an engine, such as defaultEngine()', (value): value is Engine =>
  hasFields('symmetricEigen', 'multiply')(value),
);

const Options = struct('options', {
  prior: PriorCodec,
  damping: DampingCodec,
  layers: LayerSelectionCodec,
  datasetSize: optional(positive),
});

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
  return dual(args, ifTagged(3), (options: PosteriorOptions, engine: Engine, onLayer: OnLayer = () => {}) => {
    const own = optionsOf('posteriorOf', Options, options);
    argument('posteriorOf', 'engine', EngineCodec, engine);
    argument('posteriorOf', 'onLayer', OnLayerCodec, onLayer);
    return (factors: Factors) =>
      F.pipe(
        ofKind('posteriorOf', FACTORS, factors),
        E.chain((given) => built(given, own, engine, onLayer)),
      );
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
  const { layout, weights: mean, shares } = moments;
  const { name, structure, members, groups, n, m, bias } = layout;
  const { asks, build } = posteriorStructure(layout).plan(moments, rotation);
  return {
    name,
    asks,
    build: F.flow(
      build,
      E.map(
        (parts) =>
          frozen({
            name,
            structure,
            members,
            groups,
            n,
            m,
            bias,
            mean,
            parts,
            priorPrecision,
            ...(shares && { shares }),
          }) as PosteriorLayer,
      ),
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
    estimator: frozen(factors.layout.estimator),
    outputs: factors.layout.outputs,
    datasetSize,
    fingerprint: factors.fingerprint,
    ...(factors.layout.architecture !== undefined && { architecture: factors.layout.architecture }),
    logLikelihood: (factors.logLikelihood / factors.count) * datasetSize,
    ...(factors.shares && {
      squares: Object.freeze(factors.shares.map(({ squares }) => (squares / factors.count) * datasetSize)),
    }),
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
