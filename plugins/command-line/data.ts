/** The data of a command: files, and how they are read. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import { batches, type Factors, inputBatches } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { type DataExamples, type DataInputs, type Format, type ReadDataOptions, readData } from 'tfjs-laplace/plugins/data-files';
import { loadFactors } from 'tfjs-laplace/plugins/storage';
import { choices, positive, wholeNumber } from './values.js';

/** How the files of a command are read. */
export interface Reading {
  readonly target?: ReadonlyArray<string>;
  readonly inputs?: ReadonlyArray<string>;
  readonly divide?: number;
  readonly header: boolean;
  readonly format?: Format;
  readonly batch: number;
}

/** Adds the options of reading files. */
export const withReading = (command: Command): Command =>
  command
    .option('--target <column...>', 'columns of a table that hold labels')
    .option('--inputs <column...>', 'columns of a table that hold inputs (default: all others)')
    .option('--divide <number>', 'divides the inputs: 255 for the bytes of images', positive)
    .option('--no-header', 'the first row of CSV and TSV has no names: columns are 1, 2, …')
    .option('--format <format>', 'the format of all files', choices('idx', 'npy', 'csv', 'tsv', 'parquet'))
    .option('--batch <examples>', 'examples of a batch', wholeNumber, 128);

const optionsOf = ({ target, inputs, divide, header, format }: Reading): ReadDataOptions => ({
  header,
  ...(target && { target }),
  ...(inputs && { inputs }),
  ...(divide !== undefined && { divide }),
  ...(format && { format }),
});

/** The names of classes, in the order of their numbers. */
export type ClassNames = ReadonlyArray<string>;

/** Labelled examples, in batches. */
export interface Labelled {
  readonly batches: ReturnType<typeof batches>;
  /** The names of the classes, if the labels are names. */
  readonly classes: ClassNames | undefined;
}

/**
 * Labelled examples. Labels that are names become numbers by their place among the names of the training data, or else of the file, which
 * then has to have an example of every class of the model.
 *
 * @param option the option that names the files, for errors
 * @param known the names of the classes, from the training data
 */
export async function labelledFrom(
  option: string,
  files: ReadonlyArray<string>,
  reading: Reading,
  model: LayersModel,
  known?: ClassNames,
): Promise<Labelled> {
  const found = await readData(files, optionsOf(reading));
  if (!hasLabels(found)) {
    throw laplaceError('InvalidOption', {
      what: `${option}: nothing says what the labels are`,
      field: option,
      found: files.join(' '),
      expected: 'a file of inputs and one of labels, or a table and --target COLUMN',
    });
  }
  const { x, y, classes: own } = found;
  if (own === undefined) return { batches: batches({ x, y }, reading.batch), classes: undefined };
  const classes = known ?? own;
  const C = classesOf(model);
  if (C !== undefined && classes.length !== C)
    throw otherClasses(option, files, classes, `names of ${C} classes, as the model has`);
  const foreign = own.find((name) => !classes.includes(name));
  if (foreign !== undefined)
    throw otherClasses(option, files, [foreign], `one of ${classes.join(', ')}, the classes of the training data`);
  const numbers = own.map((name) => classes.indexOf(name));
  const labels = Int32Array.from(y as Int32Array, (label) => numbers[label] as number);
  return { batches: batches({ x, y: labels }, reading.batch), classes };
}

/** How many classes a model with one output has, if its last layer has a number for each, or one for yes and no. */
function classesOf({ outputs }: LayersModel): number | undefined {
  const C = outputs.length === 1 ? outputs[0]?.shape.at(-1) : undefined;
  return C === 1 ? 2 : (C ?? undefined);
}

const otherClasses = (option: string, files: ReadonlyArray<string>, found: ClassNames, expected: string) =>
  laplaceError('InvalidLabels', {
    what: `${option}: the names of the classes in ${files.join(' ')} say nothing about their numbers`,
    field: option,
    found: found.join(', '),
    expected,
    remedy: 'Write the labels as the numbers of the classes, from 0.',
  });

const hasLabels = (found: DataInputs | DataExamples): found is DataExamples => 'y' in found;

/** Inputs alone, in batches. Labels that the files have are left out. */
export async function inputsFrom(files: ReadonlyArray<string>, reading: Reading) {
  const { x, examples } = await readData(files, optionsOf(reading));
  return inputBatches(x, reading.batch, examples);
}

/** Training data: examples, or factors that were kept. */
export const trainingFrom = async (
  files: ReadonlyArray<string>,
  reading: Reading,
  model: LayersModel,
): Promise<Labelled | { readonly factors: Factors }> =>
  files.length === 1 && isFactorsFile(files[0] as string)
    ? { factors: await loadFactors(placeOf(files[0] as string)) }
    : labelledFrom('--data', files, reading, model);

const isFactorsFile = (file: string): boolean => file.endsWith('.safetensors');

/** A path as a place: what is no URL is a path. */
export const placeOf = (where: string): string => (/^[a-z]+:\/\//.test(where) ? where : `file://${where}`);
