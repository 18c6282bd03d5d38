/** Tables of Parquet, through the package hyparquet. Only the columns that are chosen are read, one after another. */
import type { ColumnData } from 'hyparquet';
import type { LaplaceError } from 'tfjs-laplace';
import { isLaplaceError } from 'tfjs-laplace';
import { laplaceError, optionalPackage } from 'tfjs-laplace/extend';
import { exact } from './elements.js';
import { emptyCell, invalidFile, noNumber, textAmongInputs } from './failure.js';
import { float32, labelOf } from './rows.js';
import type { Cell, Choose, Table } from './types.js';

/**
 * Reads the columns of a table that are chosen. Rejects with `InvalidFile` for bytes that are damaged, or compressed in a way that cannot be
 * read here, `InvalidInput` for a cell that is no number, `NotFinite` for one that is null or not finite; with `Backend` without the package
 * `hyparquet`.
 */
export async function readParquet(bytes: Uint8Array, name: string, choose: Choose): Promise<Table> {
  const reader = await optionalPackage('A Parquet file', 'hyparquet', () => import('hyparquet'));
  try {
    return await tableOf(await opened(reader, bytes, name), name, choose);
  } catch (cause) {
    if (isLaplaceError(cause)) throw cause;
    throw invalidFile(name, 'Parquet', cause instanceof Error ? cause.message : String(cause), 'a whole file', { cause });
  }
}

/** A file whose columns can be read. */
interface Opened {
  readonly examples: number;
  readonly names: ReadonlyArray<string>;
  /** The cells of a column. Rejects if there is not one for each row. */
  readonly cells: (column: number) => Promise<ArrayLike<unknown>>;
}

async function opened(reader: typeof import('hyparquet'), bytes: Uint8Array, name: string): Promise<Opened> {
  const compressors = await decompressors();
  const file = {
    byteLength: bytes.byteLength,
    slice: (start: number, end?: number) => bytes.slice(start, end).buffer as ArrayBuffer,
  };
  const metadata = await reader.parquetMetadataAsync(file);
  const codecs = metadata.row_groups.flatMap((group) => group.columns.map((column) => column.meta_data?.codec ?? 'UNCOMPRESSED'));
  const foreign = codecs.find((codec) => codec !== 'UNCOMPRESSED' && codec !== 'SNAPPY' && !(codec in compressors));
  if (foreign !== undefined) throw compressed(name, foreign);
  const columns = reader.parquetSchema(metadata).children;
  const examples = Number(metadata.num_rows);
  return {
    examples,
    names: columns.map(({ element }) => element.name),
    cells: async (i) => {
      const column = columns[i]?.element.name as string;
      if (columns[i]?.children.length) throw noNumber(`${name}, column '${column}'`, 'a column with parts of its own');
      const chunks: ColumnData[] = [];
      await reader.parquetRead({ file, metadata, columns: [column], compressors, onChunk: (chunk) => void chunks.push(chunk) });
      const cells = reader.flatten(chunks.sort((a, b) => a.rowStart - b.rowStart).map(({ columnData }) => columnData));
      if (cells.length !== examples) throw new Error(`${cells.length} cells in column '${column}' for ${examples} rows`);
      return cells;
    },
  };
}

/** Reads the chosen columns. Memory for all rows is taken when a column has shown that they are there. */
async function tableOf({ examples, names, cells }: Opened, name: string, choose: Choose): Promise<Table> {
  const { inputs, targets } = choose(names);
  const place = (row: number) => `${name}, row ${row + 1}`;
  const at = (row: number, i: number) => `${place(row)}, column '${names[i]}'`;
  let data = new Float32Array(0);
  for (const [c, i] of inputs.entries()) {
    const own = await cells(i);
    if (c === 0) data = new Float32Array(examples * inputs.length);
    for (let row = 0; row < examples; row++) {
      const cell = cellOf(own[row], () => at(row, i));
      if (typeof cell === 'string') throw textAmongInputs(at(row, i), cell);
      data[row * inputs.length + c] = float32(cell, () => at(row, i));
    }
  }
  const labels: { readonly name: string; readonly cells: ReadonlyArray<Cell> }[] = [];
  for (const i of targets) {
    labels.push({
      name: names[i] as string,
      cells: Array.from(await cells(i), (cell, row) =>
        labelOf(
          cellOf(cell, () => at(row, i)),
          () => at(row, i),
        ),
      ),
    });
  }
  return { examples, inputs: inputs.map((i) => names[i] as string), data, targets: labels, place };
}

/** A cell as a number or text. Throws for one that is neither. */
function cellOf(value: unknown, place: () => string): Cell {
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return Number(value);
  if (value === null || value === undefined) throw emptyCell(place());
  if (typeof value !== 'bigint') throw noNumber(place(), value instanceof Date ? 'a date' : 'a value of another kind');
  const number = exact(value);
  if (Number.isNaN(number)) throw noNumber(place(), `the integer ${value}, which no float64 equals`);
  return number;
}

type Decompress = (bytes: Uint8Array) => Uint8Array;

/** What Node itself unzips. It has Zstandard from 22.15 on. Snappy, the usual one, is in hyparquet. */
async function decompressors(): Promise<Readonly<Record<string, Decompress>>> {
  const zlib: typeof import('node:zlib') & { readonly zstdDecompressSync?: Decompress } = await import('node:zlib');
  const { gunzipSync, brotliDecompressSync, zstdDecompressSync } = zlib;
  return {
    GZIP: (bytes) => gunzipSync(bytes),
    BROTLI: (bytes) => brotliDecompressSync(bytes),
    ...(zstdDecompressSync === undefined ? {} : { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }),
  };
}

const compressed = (name: string, codec: string): LaplaceError =>
  laplaceError('InvalidFile', {
    what: `${name} is compressed in a way that cannot be read here`,
    found: codec,
    expected: 'SNAPPY, GZIP, BROTLI, no compression; ZSTD from Node 22.15 on',
    remedy: "Write it with compression='snappy'.",
  });
