/** Structures of curvature that an operation knows how to work with; others are refused, never taken for one of them. */
import type { Structure } from '../../curvature/layout.js';
import { laplaceError } from '../../errors.js';
import type { Posterior, PosteriorLayer } from '../../posterior/posterior.js';

/** Those whose covariance along the posterior's directions is a diagonal. */
const DIAGONAL_ALONG_DIRECTIONS: ReadonlyArray<Structure> = ['kronecker', 'embedding', 'diagonal', 'eigen', 'full'];

/** Throws `UnsupportedLayer` for a layer of another structure. `operation` names what was asked for. */
export function checkStructures({ layers }: Posterior, operation: string): void {
  // A `lowRank` of independent outputs has no low rank: its covariance is a diagonal as well.
  const fits = ({ structure, lowRank }: PosteriorLayer): boolean =>
    structure === 'lowRank' ? lowRank === undefined : DIAGONAL_ALONG_DIRECTIONS.includes(structure);
  const foreign = layers.find((layer) => !fits(layer));
  if (foreign === undefined) return;
  throw laplaceError('UnsupportedLayer', {
    what: `${operation} cannot be computed for layer '${foreign.name}'`,
    layer: foreign.name,
    found: `a block of structure '${foreign.structure}'`,
    expected: `one of ${DIAGONAL_ALONG_DIRECTIONS.join(', ')}`,
    remedy: 'Use a posterior of kfac, ekfac, diagonal or full for it.',
  });
}
