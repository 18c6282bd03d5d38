/**
 * How the prior enters a layer's precision, as data and as mathematics. A damping takes row i of U_Aᵀ W, along which A has the eigenvalue
 * α_i, to the precision s_i G + t_i I:
 *
 *   exact      N α_i G + τ I                              the exact inverse of N (A ⊗ G) + τ I
 *   factored   (√N α_i + √τ) (√N G + √τ I)                Ritter, Botev & Barber 2018, eq. 8
 *
 * so that along the direction (i, j) it is s_i γ_j + t_i. Layers with a table of curvatures are damped exactly (`structure/table.ts`). A new
 * damping is a variant, a rule and a constructor, all in this file.
 */
import { type Codec, type Flat, type InputOf, taggedUnion, variant } from '../codec/index.js';
import { at, type Determinant, ofValues, sumOf } from './determinant.js';

const Dampings = taggedUnion('a damping', variant('exact', {}), variant('factored', {}));

/** How the prior enters the precision of a layer. */
export type Damping = { readonly _tag: 'exact' } | { readonly _tag: 'factored' };

/** What may be written for a damping. */
export type DampingInput = Flat<InputOf<typeof Dampings>>;

/** Decodes a damping. */
export const DampingCodec: Codec<Damping, DampingInput> = Dampings;

/** What the evidence depends on. */
interface Sides {
  readonly N: number;
  /** α [n]. */
  readonly rows: Float64Array;
  /** Σ_j log(1 + γ_j / τ) and its derivatives, as a function of τ; more than a sum where G is no diagonal along its directions. */
  readonly columns: Determinant;
  /** m. */
  readonly width: number;
}

/** The mathematics of a damping. */
interface DampingRule {
  /** s [n] and t [n] of every row, from the eigenvalues α [n] of A. */
  readonly rows: (N: number, tau: number, alpha: Float64Array) => { readonly scale: Float64Array; readonly shift: Float64Array };
  /** log det of the posterior precision minus log det of the prior's, of one group, as a function of τ. */
  readonly determinant: (sides: Sides) => Determinant;
}

const RULES: Readonly<Record<Damping['_tag'], DampingRule>> = {
  exact: {
    rows: (N, tau, alpha) => ({ scale: alpha.map((v) => N * v), shift: alpha.map(() => tau) }),
    // Rows without curvature (pixels that are never on, say) add nothing.
    determinant: ({ N, rows, columns }) =>
      sumOf(
        Array.from(
          rows.filter((alpha) => alpha > 0),
          (alpha) => at(columns, { scale: N * alpha }),
        ),
      ),
  },
  factored: {
    rows: (N, tau, alpha) => {
      const [rootN, rootTau] = [Math.sqrt(N), Math.sqrt(tau)];
      const left = alpha.map((v) => rootN * v + rootTau);
      return { scale: left.map((v) => v * rootN), shift: left.map((v) => v * rootTau) };
    },
    // A sum over rows and one over columns: it costs n + m, not n m.
    determinant: ({ N, rows, columns, width }) => {
      const half = { scale: Math.sqrt(N), power: 0.5 };
      return sumOf([at(ofValues(rows), { ...half, weight: width }), at(columns, { ...half, weight: rows.length })]);
    },
  },
};

/** The mathematics of a damping. */
export const dampingNamed = ({ _tag }: Damping): DampingRule => RULES[_tag];

const EXACT: Damping = Object.freeze({ _tag: 'exact' });
const FACTORED: Damping = Object.freeze({ _tag: 'factored' });

/**
 * N (A ⊗ G) + τ I, inverted exactly in the factors' eigenbases.
 *
 * @example
 * ```ts
 * import { exactDamping } from 'tfjs-laplace';
 *
 * exactDamping(); // => { _tag: 'exact' }
 * ```
 */
export const exactDamping = (): Damping => EXACT;

/**
 * (√N A + √τ I) ⊗ (√N G + √τ I) of Ritter et al. 2018: cheaper, and never wider than the exact one.
 *
 * @example
 * ```ts
 * import { factoredDamping } from 'tfjs-laplace';
 *
 * factoredDamping(); // => { _tag: 'factored' }
 * ```
 */
export const factoredDamping = (): Damping => FACTORED;
