/**
 * What the posterior side must know of a structure: the directions along which a layer's weights are independent and the curvature along
 * them, made of its second moments; how the evidence depends on its prior precision; its precisions.
 *
 *   W = M + √T · U_A (S ⊙ E) U_Gᵀ,   E standard normal
 *
 * Letters: P groups, n inputs of W (bias included), m outputs; N examples of the data set, τ the prior precision.
 */
import type { either as E } from 'fp-ts';
import type { Rotation } from '../../curvature/layout.js';
import type { LayerMoments } from '../../curvature/means.js';
import type { LaplaceError } from '../../errors.js';
import type { SymmetricEigen } from '../../linalg/engine.js';
import type { Matrix } from '../../types.js';
import type { Damping } from '../damping.js';
import type { Determinant } from '../determinant.js';

/** Something as the symmetric matrices that it asks to have decomposed, and what is made of the answers. */
export interface Planned<A> {
  readonly asks: ReadonlyArray<Matrix>;
  readonly build: (answers: ReadonlyArray<SymmetricEigen>) => E.Either<LaplaceError, A>;
}

/** A layer of a posterior, as far as its structure is concerned. */
export interface Distribution<Parts> {
  readonly name: string;
  readonly groups: number;
  readonly n: number;
  readonly m: number;
  readonly parts: Parts;
  /** τ. */
  readonly priorPrecision: number;
}

/** What all layers of a posterior share. */
export interface Setting {
  readonly damping: Damping;
  /** N. */
  readonly datasetSize: number;
}

/** The precisions 1/S² of a layer's weights along its directions. */
export type Precisions =
  /** scale_i · gradient_j + shift_i within each group: [P·n], [P·m] and [P·n]. Nothing of [P·n, m] numbers is on the host. */
  | { readonly _tag: 'rows'; readonly scale: Float64Array; readonly gradient: Float64Array; readonly shift: Float64Array }
  /** curvature_ij + shift, [P·n, m]. */
  | { readonly _tag: 'table'; readonly curvature: Float64Array; readonly shift: number };

/** One structure. `Parts` are the named matrices that a layer of the posterior keeps. */
export interface PosteriorStructure<Parts> {
  /** The parts of a layer, from its second moments and, for `eigen`, the directions along which they were summed. */
  readonly plan: (moments: LayerMoments, rotation: Rotation) => Planned<Parts>;
  /** The layer's part of the evidence as a function of τ. */
  readonly determinant: (layer: Distribution<Parts>, setting: Setting) => Determinant;
  /** The precisions along the layer's directions; undefined where its weights are not independent along any. */
  readonly precisions: (layer: Distribution<Parts>, setting: Setting) => Precisions | undefined;
}
