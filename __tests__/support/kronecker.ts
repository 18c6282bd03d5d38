/** Layers of factors that a test knows to be of two matrices. */
import type { LayerSums, Matrix } from 'tfjs-laplace';

/** The layer with its two factors' sums or moments, `input` and `gradient`. */
export function kronecker<L extends LayerSums>(layer: L | undefined): L & { readonly input: Matrix; readonly gradient: Matrix } {
  const parts: Readonly<Record<string, Matrix>> = { ...layer?.parts };
  const { input, gradient } = parts;
  if (layer === undefined || input === undefined || gradient === undefined) {
    throw new Error(`expected two factors, found ${Object.keys(parts).join(', ') || 'no layer'}`);
  }
  return { ...layer, input, gradient };
}
