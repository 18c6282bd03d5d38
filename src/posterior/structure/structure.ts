/**
 * The interface of a structure on the posterior side. From a layer's second moments it makes the directions along which the
 * layer's weights are independent, and the curvature along them. It gives the precisions along the directions, and how the
 * evidence depends on the prior precision.
 *
 *   W = M + √T · U_A (S ⊙ E) U_Gᵀ,   E standard normal
 *
 * Letters: M trained weights, T temperature, S² variances; P groups, n inputs of W (including the bias), m outputs; N examples of
 * the data set, τ prior precision.
 */
import type { either as E } from 'fp-ts';
import type { Rotation } from '../../curvature/layout.js';
import type { LayerMoments } from '../../curvature/means.js';
import type { LaplaceError } from '../../errors.js';
import type { SymmetricEigen } from '../../linalg/engine.js';
import type { Matrix } from '../../types.js';
import type { Damping } from '../damping.js';
import type { Determinant } from '../determinant.js';

/**
 * A value that needs eigendecompositions: `asks` are the symmetric matrices to decompose, and `build` makes the value from the
 * results.
 */
export interface Planned<A> {
  readonly asks: ReadonlyArray<Matrix>;
  readonly build: (answers: ReadonlyArray<SymmetricEigen>) => E.Either<LaplaceError, A>;
}

/** The fields of a posterior's layer that a structure uses. */
export interface Distribution<Parts> {
  readonly name: string;
  readonly groups: number;
  readonly n: number;
  readonly m: number;
  readonly parts: Parts;
  /** τ, the prior precision. */
  readonly priorPrecision: number;
}

/** The settings that all layers of a posterior share. */
export interface Setting {
  readonly damping: Damping;
  /** N, the number of examples. */
  readonly datasetSize: number;
}

/** The precisions 1/S² of a layer's weights along its directions. */
export type Precisions =
  /**
   * Within each group the precision is scale_i · gradient_j + shift_i, from [P·n], [P·m] and [P·n] numbers. The host holds no
   * [P·n, m].
   */
  | { readonly _tag: 'rows'; readonly scale: Float64Array; readonly gradient: Float64Array; readonly shift: Float64Array }
  /** The precision is curvature_ij + shift, with `curvature` [P·n, m]. */
  | { readonly _tag: 'table'; readonly curvature: Float64Array; readonly shift: number };

/** How a layer depends on the mean [.., ..] of its gradient side, from which `plan` made it. */
export interface OutputSide<Parts> {
  /** The shape of the gradient side. */
  readonly shape: (size: LayerSize) => Readonly<Record<'rows' | 'cols', number>>;
  /** Plans the same layer with another gradient side. */
  readonly plan: (layer: Distribution<Parts>, side: Matrix) => Planned<Parts>;
  /** ∂R / ∂ε for a gradient side that grows by ε times `share`: the effective parameters of a share (`determinant.ts`). */
  readonly count: (layer: Distribution<Parts>, setting: Setting, share: Matrix) => number;
}

/** The numbers that decide the shapes of a layer's matrices. */
export type LayerSize = Readonly<Record<'groups' | 'n' | 'm', number>>;

/** The shape of one of a layer's matrices. `'rank'` is a number r >= 1 that the layer has by itself, the same in all its matrices. */
export interface PartShape {
  readonly rows: number | 'rank';
  readonly cols: number | 'rank';
  /** Set for matrices that some layers do not have. */
  readonly isOptional?: true;
  /** Set for curvatures and eigenvalues, which are >= 0. */
  readonly isNonNegative?: true;
}

/** One structure. `Parts` holds the named matrices that a layer of the posterior keeps. */
export interface PosteriorStructure<Parts> {
  /** The shapes of the matrices, by name. */
  readonly shapes: (size: LayerSize) => Readonly<Partial<Record<keyof Parts, PartShape>>>;
  /**
   * Plans the parts of a layer from its second moments. `rotation` is the directions along which `eigen` summed; empty for
   * others.
   */
  readonly plan: (moments: LayerMoments, rotation: Rotation) => Planned<Parts>;
  /** The same parts for curvature that is `factor` times as large, because the curvature of the outputs (G) is. */
  readonly scaled: (parts: Parts, factor: number) => Parts;
  /** The layer's part of the evidence as a function of τ. */
  readonly determinant: (layer: Distribution<Parts>, setting: Setting) => Determinant;
  /** The precisions along the layer's directions; undefined if the weights are independent along no directions. */
  readonly precisions: (layer: Distribution<Parts>, setting: Setting) => Precisions | undefined;
  /** The side of the curvature that the outputs make (G). Absent if a structure cannot change it without the data. */
  readonly outputSide?: OutputSide<Parts>;
  /** The share of the trace of G that the kept directions hold. Absent if a structure keeps all of it. */
  readonly keptTrace?: (layer: Distribution<Parts>) => number;
}
