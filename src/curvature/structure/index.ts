/** The structures that a layer's curvature can be kept in, and what each sums. A new structure is one file here and a line. */
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

/** How the curvature of a layer is kept. */
export type Structure = keyof typeof STRUCTURES;

/** The named matrices that a structure sums of a layer: see the structure's own file for their shapes. */
export type PartsOf<S extends Structure> =
  ReturnType<(typeof STRUCTURES)[S]['sums']> extends infer Shapes ? { readonly [Part in keyof Shapes]: Matrix } : never;

/** A layer's matrices with the structure that they belong to: sums over examples, or means. */
export type Structured = { readonly [S in Structure]: { readonly structure: S; readonly parts: PartsOf<S> } }[Structure];

type AnyStructure = SummedStructure<Readonly<Record<string, SumShape>>>;

/** What the curvature side knows of a structure. */
export const structureNamed = (structure: Structure): AnyStructure => STRUCTURES[structure] as unknown as AnyStructure;

/** The names and shapes of a layer's sums. */
export const sumsOf = ({
  structure,
  ...shape
}: LayerShape & { readonly structure: Structure }): Readonly<Record<string, SumShape>> => structureNamed(structure).sums(shape);

/** Named matrices as those of a structure: the one place where the compiler has to be told that the names are the structure's own. */
export const structured = (structure: Structure, parts: Readonly<Record<string, Matrix>>): Structured =>
  ({ structure, parts }) as unknown as Structured;

/** The matrices of a layer by name, whatever its structure. */
export const partsOf = ({ parts }: Structured): Readonly<Record<string, Matrix>> =>
  parts as unknown as Readonly<Record<string, Matrix>>;
