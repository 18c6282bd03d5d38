/**
 * The directions along which a layer's posterior is independent, and the curvature along them: eigenvectors of its factors for
 * Kronecker blocks (of each group for those in groups), the identity for diagonals and the counts of an embedding; a low rank and a
 * diagonal for outputs that are too many for eigenvectors. What is to be
 * decomposed is asked for and answered, so that the same plan serves engines that answer later.
 */
import { either as E, function as F, readonlyArray as RA } from 'fp-ts';
import type { LayerMoments } from '../curvature/means.js';
import { testMatrix } from '../curvature/structure/sketch.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { SymmetricEigen } from '../linalg/engine.js';
import { nystrom } from '../linalg/nystrom.js';
import type { Matrix } from '../types.js';

/** Orthonormal directions on one side of W, and the curvature along them. */
export interface Basis {
  /** Eigenvalues >= 0 of the side's factor, [P·d]; empty where the layer has a `spectrum` of its own. */
  readonly values: Float64Array;
  /** Columns, [d, d] for each of the P groups, on top of each other; the identity without. */
  readonly vectors?: Matrix;
}

/** What of an output factor G is not its diagonal: G = diag(γ) + B diag(λ) Bᵀ. */
export interface LowRank {
  /** λ [r] > 0, descending. */
  readonly values: Float64Array;
  /** B [m, r], orthonormal columns. */
  readonly vectors: Matrix;
  /** Σ λ / tr G: the share of the trace whose directions are kept; of the rest the diagonal is, so that tr G is kept whole. */
  readonly kept: number;
}

/** Both sides of a layer. */
export interface Directions {
  /** U_A [n, n] and α [n] >= 0. */
  readonly input: Basis;
  /** U_G [m, m] and γ [m] >= 0. */
  readonly gradient: Basis;
  /** Of a last layer with very many outputs: what G has beside the diagonal γ, in the place of U_G. */
  readonly lowRank?: LowRank;
  /** λ [P·n, m] >= 0, the curvature of one example along the directions, where it is no product α_i γ_j (EKFAC, diagonals). */
  readonly spectrum?: Matrix;
}

/** Something as the symmetric matrices that it asks to have decomposed, and what is made of the answers. */
export interface Planned<A> {
  readonly asks: ReadonlyArray<Matrix>;
  readonly build: (answers: ReadonlyArray<SymmetricEigen>) => E.Either<LaplaceError, A>;
}

const NONE = new Float64Array(0);

/** The directions of a layer. */
export function directionsOf(layer: LayerMoments): Planned<Directions> {
  if (layer._tag === 'diagonal') {
    const { squares, basis = {} } = layer;
    const side = (vectors: Matrix | undefined): Basis => Object.freeze({ values: NONE, ...(vectors && { vectors }) });
    const directions = { input: side(basis.input), gradient: side(basis.gradient), spectrum: Object.freeze({ ...squares }) };
    return { asks: [], build: () => E.right(directions) };
  }
  if (layer._tag === 'lowRank') {
    const { layout, input } = layer;
    return {
      asks: [input],
      build: (answers) =>
        F.pipe(
          outputSide(layer),
          E.chain((side) =>
            F.pipe(
              basisOf(layout.name, 'input', answers),
              E.map((own): Directions => ({ ...side, input: own })),
            ),
          ),
        ),
    };
  }
  const { layout, input, gradient } = layer;
  const counts = layout.structure === 'embedding' ? E.right(Object.freeze({ values: input.data })) : undefined;
  const left = counts === undefined ? groupsOf(input) : [];
  return {
    asks: [...left, ...groupsOf(gradient)],
    build: (answers) =>
      F.pipe(
        E.Do,
        E.bind('input', () => counts ?? basisOf(layout.name, 'input', answers.slice(0, left.length))),
        E.bind('gradient', () => basisOf(layout.name, 'gradient', answers.slice(left.length))),
      ),
  };
}

/** The diagonal and the low rank part of a G of which some products are known; of independent outputs the diagonal is all. */
function outputSide({
  layout,
  diagonal: { data },
  sketch,
}: Extract<LayerMoments, { readonly _tag: 'lowRank' }>): E.Either<LaplaceError, Omit<Directions, 'input'>> {
  const own = layout.sketch;
  if (own === undefined || sketch === undefined) return E.right({ gradient: Object.freeze({ values: data }) });
  return F.pipe(
    nystrom(sketch, testMatrix(layout.m, own), own.rank),
    E.map(({ values, vectors }) => {
      const r = values.length;
      // The diagonal of G stays as it is, whatever directions are left out.
      const rest = data.map((v, c) => {
        const row = vectors.data.subarray(c * r, (c + 1) * r);
        return Math.max(0, v - row.reduce((sum, b, j) => sum + (values[j] as number) * b * b, 0));
      });
      const gradient = Object.freeze({ values: rest });
      const trace = data.reduce((a, b) => a + b, 0);
      const kept = values.reduce((a, b) => a + b, 0) / trace;
      return r === 0 ? { gradient } : { gradient, lowRank: Object.freeze({ values, vectors, kept }) };
    }),
  );
}

/** The matrices [d, d] of a factor [P·d, d]. */
const groupsOf = ({ cols: d, data }: Matrix): ReadonlyArray<Matrix> =>
  Array.from({ length: data.length / (d * d) }, (_, p) => ({
    rows: d,
    cols: d,
    data: data.subarray(p * d * d, (p + 1) * d * d),
  }));

const basisOf = (layer: string, side: string, groups: ReadonlyArray<SymmetricEigen>): E.Either<LaplaceError, Basis> =>
  F.pipe(
    groups,
    RA.traverse(E.Applicative)((group) => semidefinite(layer, side, group)),
    E.map((parts) => (parts.length === 1 ? Object.freeze(parts[0] as SymmetricEigen) : joined(parts))),
  );

function joined(parts: ReadonlyArray<SymmetricEigen>): Basis {
  const d = (parts[0] as SymmetricEigen).values.length;
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
