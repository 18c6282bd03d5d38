/** Errors that name a file, and the place in it. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';

/** The error of bytes that cannot be read as the format says. */
export const invalidFile = (
  name: string,
  kind: string,
  found: string,
  expected: string,
  more: { remedy?: string; cause?: unknown } = {},
): LaplaceError => laplaceError('InvalidFile', { what: `${name} cannot be read as ${kind}`, found, expected, ...more });

/** The error of a value that is no finite number of float32. */
export const notFinite = (place: string, value: number): LaplaceError =>
  laplaceError('NotFinite', {
    what: place,
    found: String(value),
    expected: Number.isFinite(value) ? 'a number that float32 holds, up to 3.4e38' : 'a finite number',
  });

/** The error of a cell that holds nothing. */
export const emptyCell = (place: string): LaplaceError =>
  laplaceError('NotFinite', {
    what: place,
    found: 'an empty cell',
    expected: 'a number',
    remedy: 'Fill the gap, or leave out the row or the column.',
  });

/** The error of a cell that holds something else than a number. */
export const noNumber = (place: string, found: string, remedy?: string): LaplaceError =>
  laplaceError('InvalidInput', { what: place, found, expected: 'a number', ...(remedy === undefined ? {} : { remedy }) });

/** The error of a cell of text in a column of inputs. */
export const textAmongInputs = (place: string, cell: string): LaplaceError =>
  cell === ''
    ? emptyCell(place)
    : noNumber(place, quoted(cell), 'Number the values, or name the columns that are inputs: { inputs: […] }.');

/** Text as it stands in an error. Long text is cut. */
export const quoted = (text: string): string => JSON.stringify(text.length > LONG ? `${text.slice(0, LONG)}…` : text);

const LONG = 40;
