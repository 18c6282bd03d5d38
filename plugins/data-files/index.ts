/**
 * Examples out of files, for Node: IDX (MNIST's format), NPY (numpy's), CSV, TSV and Parquet. A file is read whole, and may be zipped
 * (gzip). Inputs become float32. Labels that are integers become int32.
 */
import type { LaplaceError } from 'tfjs-laplace';
import {
  argument,
  array,
  boolean,
  defaulted,
  laplaceError,
  literals,
  optional,
  optionsOf,
  positive,
  struct,
  text,
} from 'tfjs-laplace/extend';
import { allTargets, chooser } from './choose.js';
import { FORMATS, type Format } from './format.js';
import { countOf, inputsOf } from './inputs.js';
import { arrayLabels, columnLabels, type LabelsOfFile } from './labels.js';
import { type Content, placeIn, readContent } from './read.js';
import type { DataExamples, DataInputs } from './types.js';

export type { Format } from './format.js';
export { decodeIdx } from './idx.js';
export { decodeNpy } from './npy.js';
export type { DataExamples, DataInputs, FileNumbers, LabelArray, NumberArray } from './types.js';

/** Options of `readData`. */
export interface ReadDataOptions {
  /** The columns of a table (CSV, TSV, Parquet) that hold labels. Without it all columns are inputs. */
  readonly target?: ReadonlyArray<string>;
  /** The columns of a table that hold inputs. By default all that hold no labels. */
  readonly inputs?: ReadonlyArray<string>;
  /** Inputs are divided by this number, > 0: 255 for the bytes of images. Default 1. */
  readonly divide?: number;
  /** Whether the first row of CSV and TSV has the names of the columns. Without one they are '1', '2', …. Default true. */
  readonly header?: boolean;
  /** The format of all files. By default the first bytes of each tell, or else its ending: `.csv` or `.tsv`. */
  readonly format?: Format;
}

/**
 * Reads examples from files: `['images.idx', 'labels.idx']` for inputs and labels, or one file for both or for inputs alone.
 *
 * | format | what is read |
 * |---|---|
 * | IDX | all six types |
 * | NPY | real numbers of 2 to 8 bytes, integers, truth values; either order of bytes and of dimensions; versions 1, 2 and 3 |
 * | CSV, TSV | numbers with a decimal point. It needs the package `csv-parse` |
 * | Parquet | columns of numbers and truth values, uncompressed or with Snappy, gzip, Brotli, and Zstandard from Node 22.15 on. It needs the package `hyparquet` |
 *
 * `x` and `y` go into `batches({ x, y }, size)`, `fit` and `tune`, and `x` into `predict` and `inputBatches(x, size, examples)`. Labels stay
 * integers if all of them are. A column of text as the only target holds names of classes: its labels are their places in `classes`.
 *
 * Rejects with `Storage` for a file that cannot be read; `InvalidFile` for one that is damaged, or whose format nothing tells; `NotFinite` for
 * NaN, infinity, an empty cell, and a number that float32 does not reach; `InvalidInput` for text in a column of numbers, a column that is not
 * there, and files that do not have the same number of examples; `Empty` for no example; `InvalidOption` for options that are unknown or do
 * not fit the files; `Backend` without the package that a format needs. Errors name the file, and the line or row and the column.
 *
 * @param files paths, or `'file://PATH'`: the inputs, then the labels if they have a file of their own
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { batches } from 'tfjs-laplace';
 * import { readData } from 'tfjs-laplace/plugins/data-files';
 *
 * const file = join(await mkdtemp(join(tmpdir(), 'irises-')), 'irises.csv');
 * await writeFile(file, 'length,width,kind\n5.1,3.5,setosa\n6.7,3.1,virginica\n4.9,3,setosa\n');
 *
 * const { x, y, columns, classes } = await readData([file], { target: ['kind'] });
 * columns; // => ['length', 'width']
 * classes; // => ['setosa', 'virginica']
 * [...y]; // => [0, 1, 0]
 * batches({ x, y }, 2).length; // => 2
 * ```
 */
export function readData(files: readonly [inputs: string, labels: string], options?: ReadDataOptions): Promise<DataExamples>;
export function readData(
  files: ReadonlyArray<string>,
  options: ReadDataOptions & { readonly target: ReadonlyArray<string> },
): Promise<DataExamples>;
export function readData(files: ReadonlyArray<string>, options?: ReadDataOptions): Promise<DataInputs | DataExamples>;
export async function readData(files: ReadonlyArray<string>, options: ReadDataOptions = {}): Promise<DataInputs | DataExamples> {
  const { target, inputs, divide, ...form } = optionsOf('readData', ReadDataOptionsCodec, options);
  const [first, second, ...others] = argument('readData', 'files', array('an array of paths', text), files);
  if (others.length > 0) throw tooMany(files.length);
  if (target !== undefined && second !== undefined) throw twoTargets();
  const both = target?.find((column) => inputs?.includes(column));
  if (both !== undefined) throw inputAndLabel(both);

  const asked = { ...(inputs && { inputs }), ...(target && { target }) };
  const content = await readContent(first as string, form, (name) => chooser(name, asked));
  if (content._tag === 'array' && (inputs ?? target) !== undefined) throw noTable(content.name, inputs ? 'inputs' : 'target');
  const own = inputsOf(content, divide);
  if (target !== undefined && content._tag === 'table') return { ...own, ...columnLabels(content.table) };
  if (second === undefined) return own;
  const labels = await readContent(second, form, () => allTargets);
  const N = countOf(labels.name, labels._tag === 'array' ? labels.array.shape : [labels.table.examples]);
  if (N !== own.examples) throw differentLengths(content.name, own.examples, labels.name, N);
  return { ...own, ...labelsOf(labels) };
}

const ReadDataOptionsCodec = struct('options', {
  target: optional(array('an array of names of columns', text)),
  inputs: optional(array('an array of names of columns', text)),
  divide: defaulted(positive, 1),
  header: defaulted(boolean, true),
  format: optional(literals(...FORMATS)),
});

const labelsOf = (content: Content): LabelsOfFile =>
  content._tag === 'table' ? columnLabels(content.table) : arrayLabels(content.array, placeIn(content.name, content.array.shape));

const tooMany = (found: number): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'readData',
    field: 'files',
    found: `${found} files`,
    expected: 'one file, or one of inputs and one of labels',
  });

const twoTargets = (): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'Two files say twice what the labels are',
    field: 'target',
    found: 'a target, and a second file, which holds the labels',
    expected: 'one of them',
  });

const inputAndLabel = (column: string): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'A column cannot be an input and a label',
    field: 'inputs',
    found: `'${column}' in inputs and in target`,
    expected: 'columns that differ',
  });

const noTable = (name: string, field: string): LaplaceError =>
  laplaceError('InvalidOption', {
    what: `${name} has no columns with names`,
    field,
    found: `the option ${field} for an array of numbers`,
    expected: 'CSV, TSV or Parquet',
    remedy: 'Give the labels as a second file.',
  });

const differentLengths = (inputs: string, n: number, labels: string, m: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `${inputs} and ${labels} do not have the same number of examples`,
    found: `${n} in ${inputs} and ${m} in ${labels}`,
    expected: 'a label for each example',
  });
