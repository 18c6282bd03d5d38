/**
 * Dampings: how the prior enters a layer's precision, as data and as mathematics. Row i of U_Aᵀ W belongs to the eigenvalue α_i
 * of A. A damping gives this row the precision s_i G + t_i I:
 *
 *   exact      N α_i G + τ I                              the exact inverse of N (A ⊗ G) + τ I
 *   factored   (√N α_i + √τ) (√N G + √τ I)                Ritter, Botev & Barber 2018, eq. 8
 *
 * Along the direction (i, j) the precision is s_i γ_j + t_i. A layer with a table of curvatures is always damped exactly
 * (`structure/table.ts`). A new damping needs a variant, a rule and a constructor, all in this file.
 */
import { type Codec, type Flat, type InputOf, taggedUnion, variant } from '../codec/index.js';
import { at, type Determinant, ofValues, sumOf, withoutOutputs } from './determinant.js';

const Dampings = taggedUnion('a damping', variant('exact', {}), variant('factored', {}));

/** How the prior enters the precision of a layer. */
export type Damping = { readonly _tag: 'exact' } | { readonly _tag: 'factored' };

/** The accepted input for a damping. */
export type DampingInput = Flat<InputOf<typeof Dampings>>;

/** Decodes a damping. */
export const DampingCodec: Codec<Damping, DampingInput> = Dampings;

/** What the evidence of one group depends on. */
interface Sides {
  /** N, the number of examples. */
  readonly N: number;
  /** α [n], the eigenvalues of A. They do not depend on s. */
  readonly rows: Float64Array;
  /**
   * log det(I + s G / τ) and its derivatives as a function of τ. It is Σ_j log(1 + s γ_j / τ) if G is diagonal along its directions.
   */
  readonly columns: Determinant;
  /** m, the number of outputs. */
  readonly width: number;
}

/** The mathematics of a damping. */
interface DampingRule {
  /** `scale` s [n] and `shift` t [n] of the rows, from the eigenvalues α [n] of A. */
  readonly rows: (N: number, tau: number, alpha: Float64Array) => { readonly scale: Float64Array; readonly shift: Float64Array };
  /** For one group, log det of the posterior precision minus log det of the prior precision, as a function of τ. */
  readonly determinant: (sides: Sides) => Determinant;
}

const RULES: Readonly<Record<Damping['_tag'], DampingRule>> = {
  exact: {
    rows: (N, tau, alpha) => ({ scale: alpha.map((v) => N * v), shift: alpha.map(() => tau) }),
    // Rows without curvature, such as pixels that are never on, add nothing.
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
    // The determinant splits into a sum over rows and a sum over columns, so it costs n + m, not n m.
    determinant: ({ N, rows, columns, width }) => {
      const half = { scale: Math.sqrt(N), power: 0.5 };
      const fixed = withoutOutputs(ofValues(rows));
      return sumOf([at(fixed, { ...half, weight: width }), at(columns, { ...half, weight: rows.length })]);
    },
  },
};

/** The mathematics of a damping. */
export const dampingNamed = ({ _tag }: Damping): DampingRule => RULES[_tag];

const EXACT: Damping = Object.freeze({ _tag: 'exact' });
const FACTORED: Damping = Object.freeze({ _tag: 'factored' });

/**
 * The precision N (A ⊗ G) + τ I, which is inverted exactly in the eigenbases of the factors.
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
 * The precision (√N A + √τ I) ⊗ (√N G + √τ I) of Ritter et al. 2018. It is cheaper than the exact damping, and its posterior is
 * never wider.
 *
 * @example
 * ```ts
 * import { factoredDamping } from 'tfjs-laplace';
 *
 * factoredDamping(); // => { _tag: 'factored' }
 * ```
 */
export const factoredDamping = (): Damping => FACTORED;
