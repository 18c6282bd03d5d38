/** Layers of factors that a test knows to be of two matrices. */
import { isKronecker } from 'tfjs-laplace';

/** The layer's sums or moments, which must be `input` and `gradient`. */
export function kronecker<L extends { readonly _tag: string }>(layer: L | undefined): Extract<L, { readonly _tag: 'kronecker' }> {
  if (layer === undefined || !isKronecker(layer)) throw new Error(`expected two factors, found ${layer?._tag ?? 'no layer'}`);
  return layer;
}
