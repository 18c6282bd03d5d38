/** Parquet, against what pyarrow wrote. */
import * as zlib from 'node:zlib';
import { readData } from 'tfjs-laplace/plugins/data-files';
import { bytesOf, failure, VALUES, written } from './files.js';

const { tables } = VALUES;
const numbers = Object.entries(tables.numbers);
const all = written('all.parquet', bytesOf(tables.all));

it.each(numbers)('a column of %s has the values of pyarrow', async (name, values) => {
  const { x, shape } = await readData([all], { inputs: [name] });
  expect([...x]).toEqual(values.map(Math.fround));
  expect(shape).toEqual([values.length, 1]);
});

it('columns stand side by side, in the order in which they are named', async () => {
  const { x, columns } = await readData([all], { inputs: ['f64', 'i8'] });
  expect(columns).toEqual(['f64', 'i8']);
  const [f64, i8] = [tables.numbers.f64 ?? [], tables.numbers.i8 ?? []];
  expect([...x]).toEqual(f64.flatMap((value, row) => [Math.fround(value), i8[row] as number]));
});

it.each([
  ['kind', tables.kinds],
  ['category', tables.categories],
])('the text of %s names classes', async (name, values) => {
  const { y, classes = [] } = await readData([all], { inputs: ['f32'], target: [name] });
  expect(classes).toEqual([...new Set(values)].sort());
  expect(Array.from(y as Int32Array, (k) => classes[k])).toEqual(values);
});

it.each(Object.entries(tables.forms))('is read in each form: %s', async (_, file) => {
  const { x, y, classes = [] } = await readData([written('x', bytesOf(file))], { target: ['kind'] });
  const [f32, i64] = [tables.numbers.f32 ?? [], tables.numbers.i64 ?? []];
  expect([...x]).toEqual(f32.flatMap((value, row) => [value, i64[row] as number]));
  expect(Array.from(y as Int32Array, (k) => classes[k])).toEqual(tables.kinds);
});

it('Zstandard is read where Node has it, and named where it has not', async () => {
  const read = readData([written('x', bytesOf(tables.zstd))], { target: ['kind'] });
  if (!('zstdDecompressSync' in zlib)) {
    const error = await failure(read);
    expect([error.kind, error.found]).toEqual(['InvalidFile', 'ZSTD']);
    expect(error.message).toContain("compression='snappy'");
  } else {
    expect((await read).examples).toBe(tables.kinds.length);
  }
});

describe('mistakes', () => {
  it.each([
    [
      'text among inputs',
      { inputs: ['f32', 'kind'] },
      'InvalidInput',
      `all.parquet, row 1, column 'kind': found "b", expected a number`,
    ],
    ['a null', { inputs: ['gap'] }, 'NotFinite', "row 2, column 'gap': found an empty cell"],
    ['a null label', { inputs: ['f32'], target: ['gap'] }, 'NotFinite', "row 2, column 'gap'"],
    ['dates', { inputs: ['day'] }, 'InvalidInput', "row 1, column 'day': found a date"],
    ['lists', { inputs: ['list'] }, 'InvalidInput', "column 'list': found a column with parts"],
    ['a column that is not there', { target: ['price'] }, 'InvalidInput', 'has no column "price"', '"f64"'],
  ])('%s', async (_, options, kind, ...words) => {
    const error = await failure(readData([all], options));
    expect(error.kind).toBe(kind);
    for (const word of words) expect(error.message).toContain(word);
  });

  it('a compression that is not read is named', async () => {
    const error = await failure(readData([written('x', bytesOf(tables.lz4))]));
    expect([error.kind, error.found]).toEqual(['InvalidFile', 'LZ4_RAW']);
  });

  it('no row', async () => {
    expect((await failure(readData([written('x', bytesOf(tables.none))], { inputs: ['f32'] }))).kind).toBe('Empty');
  });
});

describe('damage', () => {
  const tiny = bytesOf(tables.tiny);
  const read = (bytes: Uint8Array) => readData([written('x.parquet', bytes)], { format: 'parquet' });

  it('every cut is refused', async () => {
    for (let end = 0; end < tiny.length; end += 7) expect((await failure(read(tiny.subarray(0, end)))).kind).toBe('InvalidFile');
  });

  // Two rows are a byte 4 in the metadata, and one row is a byte 2.
  it.each([
    ['turned over', (byte: number) => byte ^ 0xff],
    ['that becomes 2', () => 2],
  ])('a byte %s gives a typed error, or all rows', async (_, change) => {
    expect((await read(tiny)).shape).toEqual([2, 2]);
    let refused = 0;
    for (let at = 0; at < tiny.length; at++) {
      const changed = Uint8Array.from(tiny);
      changed[at] = change(changed[at] as number);
      const result = await read(changed).catch((error: unknown) => failure(Promise.reject(error)));
      if ('kind' in result) refused++;
      else expect(result.examples).toBe(2);
    }
    expect(refused).toBeGreaterThan(tiny.length / 10);
  });
});
