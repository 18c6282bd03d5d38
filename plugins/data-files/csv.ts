/** Tables as text. Each number is read as its row comes, so that the text of a large table is never held as cells. */
import { isLaplaceError } from 'tfjs-laplace';
import { optionalPackage } from 'tfjs-laplace/extend';
import { emptyCell, invalidFile, quoted, textAmongInputs } from './failure.js';
import { float32, growing, labelOf } from './rows.js';
import type { Cell, Choose, Chosen, Table } from './types.js';

/** How a table is written. */
export interface CsvForm {
  readonly delimiter: ',' | '\t';
  /** Whether the first row has the names of the columns. Without one they are '1', '2', …. */
  readonly header: boolean;
}

/**
 * Reads the columns of a table that are chosen. Rejects with `InvalidFile` for text that is no table, `InvalidInput` for a cell that is no
 * number, `NotFinite` for one that is empty or not finite; with `Backend` without the package `csv-parse`.
 */
export async function readCsv(bytes: Uint8Array, name: string, form: CsvForm, choose: Choose): Promise<Table> {
  const { parse } = await optionalPackage('A CSV file', 'csv-parse', () => import('csv-parse/sync'));
  const table = reader(name, form.header, choose);
  const on_record = (record: string[], { lines }: { readonly lines: number }): undefined => table.take(record, lines);
  try {
    // `on_record` returns nothing, so no record is kept.
    parse(bytes, { bom: true, delimiter: form.delimiter, trim: true, relax_column_count: true, on_record });
  } catch (cause) {
    if (isLaplaceError(cause)) throw cause;
    throw invalidFile(name, 'a table', cause instanceof Error ? cause.message : String(cause), 'rows of cells', { cause });
  }
  return table.end();
}

/** Takes a table row by row. Lines count from 1. */
function reader(name: string, header: boolean, choose: Choose) {
  let gather: Gatherer | undefined;
  let blank: number | undefined;
  return {
    take: (record: ReadonlyArray<string>, line: number): undefined => {
      if (record.length === 1 && record[0] === '') {
        blank ??= line;
        return;
      }
      if (gather === undefined) {
        const names = header ? namesIn(record, name) : record.map((_, i) => String(i + 1));
        gather = gatherer(names, choose(names), name);
        blank = undefined;
        if (header) return;
      }
      gather.row(record, line, blank);
      blank = undefined;
    },
    end: (): Table => {
      if (gather === undefined)
        throw invalidFile(name, 'a table', 'no row', header ? 'the names of the columns' : 'rows of cells');
      return gather.end();
    },
  };
}

/** The names in the first row. Throws `InvalidFile` for one that is missing, or that is there twice. */
function namesIn(record: ReadonlyArray<string>, name: string): ReadonlyArray<string> {
  const remedy = 'Without names in the first row: { header: false }. For pandas: to_csv(index=False).';
  const missing = record.indexOf('');
  if (missing >= 0) throw invalidFile(name, 'a table', `no name for column ${missing + 1}`, 'a name for each column', { remedy });
  const twice = record.find((column, i) => record.indexOf(column) < i);
  if (twice !== undefined)
    throw invalidFile(name, 'a table', `the column ${quoted(twice)} twice`, 'names that differ', { remedy });
  return record;
}

interface Gatherer {
  /** Takes a row. `blank` is the empty line before it, if there is one. */
  readonly row: (record: ReadonlyArray<string>, line: number, blank: number | undefined) => void;
  readonly end: () => Table;
}

/** Gathers the cells of the chosen columns. */
function gatherer(names: ReadonlyArray<string>, chosen: Chosen, name: string): Gatherer {
  const numbers = growing();
  const lines: number[] = [];
  const targets = chosen.targets.map((i) => ({ name: names[i] as string, cells: [] as Cell[] }));
  const place = (line: number, i: number) => `${name}, line ${line}, column '${names[i]}'`;
  return {
    row: (record, line, blank) => {
      // Empty lines are passed over. But in a table of one column such a line is an empty cell, unless the file ends there.
      if (blank !== undefined && names.length === 1) throw emptyCell(place(blank, 0));
      if (record.length !== names.length) {
        throw invalidFile(
          name,
          'a table',
          `${record.length} ${record.length === 1 ? 'cell' : 'cells'} in line ${line}`,
          `${names.length}, as in the first row`,
        );
      }
      lines.push(line);
      for (const i of chosen.inputs) {
        const cell = cellOf(record[i] as string);
        if (typeof cell === 'string') throw textAmongInputs(place(line, i), cell);
        numbers.push(float32(cell, () => place(line, i)));
      }
      for (const [t, i] of chosen.targets.entries()) {
        targets[t]?.cells.push(labelOf(cellOf(record[i] as string), () => place(line, i)));
      }
    },
    end: () => ({
      examples: lines.length,
      inputs: chosen.inputs.map((i) => names[i] as string),
      data: numbers.end(),
      targets,
      place: (row) => `${name}, line ${lines[row]}`,
    }),
  };
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NONE = /^([+-]?)(nan|inf|infinity)$/i;

/** The number that a cell is, or its text. */
function cellOf(text: string): Cell {
  if (NUMBER.test(text)) return Number(text);
  const [, sign, word] = NONE.exec(text) ?? [];
  if (word === undefined) return text;
  return /^nan$/i.test(word) ? Number.NaN : sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
