/** Factors of several files, added up a layer at a time. */
import { either as E, function as F } from 'fp-ts';
import { merge } from '../curvature/factors.js';
import type { LaplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';
import { arraysIn, nameIn } from './arrays.js';
import { sealedLast } from './container.js';
import { factsOf, layerOf, manifestFrom, matricesOf } from './factors.js';
import { assembled, type FactorsFile } from './factorsOfFile.js';
import type { PlacedPieces } from './pieces.js';
import { inOrder, type NamedArray } from './safetensors.js';

/** Factors whose layers are made one at a time, when they are asked for. */
export type LayeredFactors = Omit<FactorsFile, 'whole'>;

/**
 * The sum of two files, as `merge` makes it. Nothing is read before a layer is asked for. Each layer is added up by `merge` itself.
 *
 * @returns the sum, or `Mismatch` as of `merge`.
 */
export const mergeFiles = (a: LayeredFactors, b: LayeredFactors): E.Either<LaplaceError, LayeredFactors> =>
  F.pipe(
    merge(assembled(a.facts, []), assembled(b.facts, [])),
    E.map((sum) => ({
      facts: factsOf(sum),
      outlines: a.outlines,
      layer: async (l) => {
        const first = assembled(a.facts, [await a.layer(l)]);
        const second = assembled(b.facts, [await b.layer(l)]);
        return layerOf(orThrow(merge(first, second)), 0);
      },
    })),
  );

/**
 * The bytes that `encodeFactors` gives, of factors whose layers come one at a time. Going through the pieces fails with the errors of the
 * layers, and with `NotFinite` for a number that is not finite.
 */
export function piecesOfFile({ facts, outlines, layer }: LayeredFactors): PlacedPieces {
  const shapes = outlines.flatMap((outline, l) =>
    matricesOf(outline, 'inside').map(([name, { rows, cols }]) => ({ name: nameIn(l, name), shape: [rows, cols] })),
  );
  // Layer 10 lies before layer 2: names are sorted as text.
  const order = inOrder(outlines.map((_, l) => ({ name: nameIn(l, ''), shape: [], l })));
  async function* arrays(): AsyncGenerator<NamedArray> {
    for (const { l } of order) yield* inOrder(arraysIn(l, matricesOf(await layer(l), 'inside'), 'F64'));
  }
  return sealedLast('factors', manifestFrom(facts, 'inside', facts.layout.estimator._tag === 'ekfac'), shapes, arrays);
}
