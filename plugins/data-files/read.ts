/** One file as an array or as a table. */
import { orThrow } from 'tfjs-laplace';
import { readBytes } from 'tfjs-laplace/plugins/storage';
import { readCsv } from './csv.js';
import { sizeOf } from './elements.js';
import { type Format, formatOf, unzipped } from './format.js';
import { decodeIdx } from './idx.js';
import { decodeNpy } from './npy.js';
import { readParquet } from './parquet.js';
import type { Choose, NumberArray, Table } from './types.js';

/** How files are written, where they do not say so themselves. */
export interface FileForm {
  readonly format?: Format;
  readonly header: boolean;
}

/** What a file holds, with its name for errors. */
export type Content =
  | { readonly _tag: 'array'; readonly name: string; readonly array: NumberArray }
  | { readonly _tag: 'table'; readonly name: string; readonly table: Table };

/** Reads a file. A table is asked for the columns that `choose` names. */
export async function readContent(
  file: string,
  { format, header }: FileForm,
  choose: (name: string) => Choose,
): Promise<Content> {
  const name = file.replace(/^file:\/\//, '');
  const bytes = await unzipped(await readBytes(name), name);
  const array = (own: NumberArray): Content => ({ _tag: 'array', name, array: own });
  const table = (own: Table): Content => ({ _tag: 'table', name, table: own });
  switch (format ?? formatOf(bytes, name)) {
    case 'idx':
      return array(orThrow(decodeIdx(bytes, name)));
    case 'npy':
      return array(orThrow(decodeNpy(bytes, name)));
    case 'csv':
      return table(await readCsv(bytes, name, { delimiter: ',', header }, choose(name)));
    case 'tsv':
      return table(await readCsv(bytes, name, { delimiter: '\t', header }, choose(name)));
    case 'parquet':
      return table(await readParquet(bytes, name, choose(name)));
  }
}

/** Where number i of an array stands, for errors. */
export const placeIn =
  (name: string, shape: ReadonlyArray<number>) =>
  (i: number): string => {
    const index = shape.map((size, d) => Math.floor(i / sizeOf(shape.slice(d + 1))) % size);
    return `${name} at [${index.join(', ')}]`;
  };
