/** What files hold, and what reading them gives. */

/** Numbers in the type that a file has them in. 64-bit integers are numbers of JavaScript, which hold those up to 2^53. */
export type FileNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** An array of numbers, row-major. The first dimension counts examples. */
export interface NumberArray {
  readonly shape: ReadonlyArray<number>;
  readonly data: FileNumbers;
}

/** A cell of a column of labels. */
export type Cell = number | string;

/** The columns of a table that were asked for. */
export interface Table {
  readonly examples: number;
  /** The names of the input columns. */
  readonly inputs: ReadonlyArray<string>;
  /** The numbers of the input columns, row by row. */
  readonly data: Float32Array;
  readonly targets: ReadonlyArray<{ readonly name: string; readonly cells: ReadonlyArray<Cell> }>;
  /** Where a row stands in the file, for errors. Rows count from 0. */
  readonly place: (row: number) => string;
}

/** Which of a table's columns hold inputs, and which hold labels. */
export interface Chosen {
  readonly inputs: ReadonlyArray<number>;
  readonly targets: ReadonlyArray<number>;
}

/** Chooses among the names of columns. Throws `InvalidInput` for a table that lacks one. */
export type Choose = (names: ReadonlyArray<string>) => Chosen;

/** Labels of N examples: N numbers, or N rows of numbers. Integers that int32 holds are int32. */
export type LabelArray = Int32Array | Float32Array | ReadonlyArray<LabelArray>;

/** Inputs of files, for predictions. */
export interface DataInputs {
  /** The inputs of one example after another. A model lays them out in the shape of its own input. */
  readonly x: Float32Array;
  /** The shape that the file gives to `x`: [N, …], for a table [N, columns]. */
  readonly shape: ReadonlyArray<number>;
  /** N, the number of examples. */
  readonly examples: number;
  /** The names of the input columns, for a table. */
  readonly columns?: ReadonlyArray<string>;
}

/** Inputs and labels of files: what `batches` and `fit` take as `{ x, y }`. */
export interface DataExamples extends DataInputs {
  readonly y: LabelArray;
  /** The names of the classes, where the labels are text: label k stands for `classes[k]`. */
  readonly classes?: ReadonlyArray<string>;
}
