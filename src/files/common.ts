/** What all parts of a pass have in common, of a file that leaves it out: the weights, and the rotations of `ekfac`. */
import type { Factors } from '../curvature/factors.js';
import { type LayerLayout, type Layout, layoutDifference, type Rotation } from '../curvature/layout.js';
import { laplaceError } from '../errors.js';
import { eigenBasis } from '../posterior/eigenBasis.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Matrix } from '../types.js';
import type { FactorsLayer } from './factors.js';

/** What a layer has in common with the same layer of other parts. */
export type CommonLayer = Pick<FactorsLayer, 'weights' | 'rotation'>;

/**
 * What the layers of a layout have in common with a value of the same pass: factors of another part, or a posterior at the same weights. For
 * `ekfac` that must be the posterior whose eigenvectors are the basis.
 *
 * Throws `Mismatch` if no value was given, or one of another pass.
 */
export function commonWith(
  like: Factors | Posterior | undefined,
  layout: Layout,
  fingerprint: string,
): ReadonlyArray<CommonLayer> {
  if (like === undefined) throw otherPass('no value that holds it', fingerprint);
  if (like.fingerprint !== fingerprint) throw otherPass(`one at weights ${like.fingerprint}`, fingerprint);
  return like._tag === 'Factors' ? ofFactors(like, layout) : ofPosterior(like, layout);
}

function ofFactors({ layout, weights, rotations, fingerprint }: Factors, wanted: Layout): ReadonlyArray<CommonLayer> {
  const different = layoutDifference(wanted, layout);
  if (different !== undefined) throw otherPass(`factors that differ in layout.${different.path}`, fingerprint);
  return wanted.layers.map((_, l) => ({
    weights: weights[l] as Matrix,
    ...(rotations && { rotation: rotations[l] as Rotation }),
  }));
}

function ofPosterior(posterior: Posterior, { layers, basis }: Layout): ReadonlyArray<CommonLayer> {
  const { id, layers: rotations } = eigenBasis(posterior);
  if (basis !== undefined && basis !== id)
    throw otherPass('a posterior with other eigenvectors than the basis', posterior.fingerprint);
  return layers.map((layer) => ({
    weights: meanOf(posterior, layer),
    ...(basis !== undefined && { rotation: rotations.get(layer.name) ?? {} }),
  }));
}

/** The mean of a layer of a layout, which is the weights at which its sums were taken. */
function meanOf({ layers, fingerprint }: Posterior, { name, groups, n, m }: LayerLayout): Matrix {
  const own = layers.find((layer) => layer.name === name);
  if (own?.mean.rows === groups * n && own.mean.cols === m) return own.mean;
  throw otherPass(`a posterior ${own ? 'with another shape of' : 'without'} layer '${name}'`, fingerprint);
}

const otherPass = (found: string, fingerprint: string) =>
  laplaceError('Mismatch', {
    what: 'The file leaves out what all parts of its pass have in common',
    field: 'like',
    found,
    expected: `factors of the same layout, or a posterior with the same layers and basis, at weights ${fingerprint}`,
    remedy: 'Give factors of another part of the same pass in the option like, or the posterior that was its basis.',
  });
