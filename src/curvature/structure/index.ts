/**
 * The structures in which a layer's curvature can be kept, and the sums of each. A new structure is one new file here and one
 * line below.
 */
import type { Matrix } from '../../types.js';
import { diagonal } from './diagonal.js';
import { eigen } from './eigen.js';
import { embedding } from './embedding.js';
import { full } from './full.js';
import { inputDiagonal } from './inputDiagonal.js';
import { kronecker } from './kronecker.js';
import { lowRank } from './lowRank.js';
import type { LayerShape, SummedStructure, SumShape } from './structure.js';

const STRUCTURES = { kronecker, embedding, inputDiagonal, diagonal, eigen, full, lowRank } as const;

/** The name of a structure: the form in which the curvature of a layer is kept. */
export type Structure = keyof typeof STRUCTURES;

/** The named matrices that a structure sums for a layer. The structure's own file states their shapes. */
export type PartsOf<S extends Structure> =
  ReturnType<(typeof STRUCTURES)[S]['sums']> extends infer Shapes ? { readonly [Part in keyof Shapes]: Matrix } : never;

/** A structure and a layer's matrices in that structure. The matrices are either sums over examples or means. */
export type Structured = { readonly [S in Structure]: { readonly structure: S; readonly parts: PartsOf<S> } }[Structure];

type AnyStructure = SummedStructure<Readonly<Record<string, SumShape>>>;

/** The implementation of a structure: how its sums are shaped, added up and costed. */
export const structureNamed = (structure: Structure): AnyStructure => STRUCTURES[structure] as unknown as AnyStructure;

/** Whether a layer holds the weights of all covered blocks in one column, so that they share one covariance (`full`). */
export const isNetworkWide = ({ structure }: { readonly structure: Structure }): boolean =>
  structureNamed(structure).scope === 'network';

/** The names of all structures. */
export const STRUCTURE_NAMES = Object.keys(STRUCTURES) as ReadonlyArray<Structure>;

/** The names and shapes of a layer's sums. */
export const sumsOf = ({
  structure,
  ...shape
}: LayerShape & { readonly structure: Structure }): Readonly<Record<string, SumShape>> => structureNamed(structure).sums(shape);

/**
 * Types named matrices as the parts of a structure. The caller makes sure that the names are the structure's own: the compiler
 * cannot check this, and only this function claims it.
 */
export const structured = (structure: Structure, parts: Readonly<Record<string, Matrix>>): Structured =>
  ({ structure, parts }) as unknown as Structured;

/** The part of a layer that its inputs alone make. All other sums belong to the gradient side. */
export const INPUT = 'input';

/** The shape of the gradient side of such a layer as `gradientSide` takes. */
export const gradientShape = (layer: LayerShape & { readonly structure: Structure }): SumShape =>
  Object.entries(sumsOf(layer)).find(([part]) => part !== INPUT)?.[1] as SumShape;

/** The gradient side of a layer whose sums are of at most one input side and one gradient side: all but `lowRank`. */
export const gradientSide = (layer: Structured): Matrix =>
  Object.entries(partsOf(layer)).find(([part]) => part !== INPUT)?.[1] as Matrix;

/** The matrices of a layer by name, for code that works on every structure. */
export const partsOf = ({ parts }: Structured): Readonly<Record<string, Matrix>> =>
  parts as unknown as Readonly<Record<string, Matrix>>;
