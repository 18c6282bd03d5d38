/** CSV and TSV. */
import * as fc from 'fast-check';
import { readData } from 'tfjs-laplace/plugins/data-files';
import { failure, written } from './files.js';

const csv = (...lines: ReadonlyArray<string>) => written('table.csv', lines.join('\n'));

it.each([
  ['csv', ','],
  ['tsv', '\t'],
])('numbers are read back as they were written: %s', async (ending, delimiter) => {
  const number = fc.float({ noNaN: true, noDefaultInfinity: true });
  const rows = fc
    .integer({ min: 1, max: 5 })
    .chain((width) => fc.array(fc.array(number, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 20 }));
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), fc.boolean(), async (table, newline, header) => {
      const names = (table[0] ?? []).map((_, i) => `column ${i}`);
      const lines = [...(header ? [names] : []), ...table].map((row) => row.join(delimiter));
      const read = await readData([written(`table.${ending}`, lines.join(newline) + newline)], { header });
      expect([...read.x]).toEqual(table.flat().map((value) => value + 0));
      expect(read.shape).toEqual([table.length, names.length]);
      expect(read.columns).toEqual(header ? names : names.map((_, i) => String(i + 1)));
    }),
    { numRuns: 60 },
  );
});

it('takes quotes, blanks, signs, exponents, a byte order mark, and empty lines', async () => {
  const file = csv('\ufeff"a, b" , c', '+1.50, -.5', '', '"2e1",3.', '', '');
  const read = await readData([file]);
  expect(read.columns).toEqual(['a, b', 'c']);
  expect([...read.x]).toEqual([1.5, -0.5, 20, 3]);
});

it('takes targets out, in the order in which they are named, and inputs too', async () => {
  const file = csv('a,b,c', '1,2,3', '4,5,6');
  const one = await readData([file], { target: ['b'] });
  expect([[...one.x], one.y, one.columns]).toEqual([[1, 3, 4, 6], Int32Array.of(2, 5), ['a', 'c']]);
  const two = await readData([file], { target: ['c', 'a'] });
  expect([[...two.x], two.y]).toEqual([
    [2, 5],
    [Int32Array.of(3, 1), Int32Array.of(6, 4)],
  ]);
  const named = await readData([file], { target: ['b'], inputs: ['c'] });
  expect([[...named.x], named.columns, named.shape]).toEqual([[3, 6], ['c'], [2, 1]]);
  expect([...(await readData([file], { inputs: ['c', 'a'] })).x]).toEqual([3, 1, 6, 4]);
});

it('a column that is not asked for may hold anything', async () => {
  expect([...(await readData([csv('a,b', '1,x', '2,')], { inputs: ['a'] })).x]).toEqual([1, 2]);
});

it('names of classes become numbers in the order of the names', async () => {
  const read = await readData([csv('a,kind', '1,dog', '2,cat', '3,dog')], { target: ['kind'] });
  expect([read.y, read.classes]).toEqual([Int32Array.of(1, 0, 1), ['cat', 'dog']]);
});

describe('mistakes', () => {
  const at = (column: string, line: number) => `table.csv, line ${line}, column '${column}'`;
  it.each([
    ['text', ['a,b', '1,2', '3,abc'], {}, 'InvalidInput', `${at('b', 3)}: found "abc", expected a number`],
    ['an empty cell', ['a,b', '1,2', ',4'], {}, 'NotFinite', `${at('a', 3)}: found an empty cell`],
    ['an empty line in a single column', ['a', '1', '', '3'], {}, 'NotFinite', `${at('a', 3)}: found an empty cell`],
    ['an empty line below the name of a single column', ['a', '', '3'], {}, 'NotFinite', `${at('a', 2)}: found an empty cell`],
    ['NaN', ['a,b', '1,nan'], {}, 'NotFinite', `${at('b', 2)}: found NaN, expected a finite number`],
    ['infinity', ['a,b', '-inf,1'], {}, 'NotFinite', `${at('a', 2)}: found -Infinity`],
    [
      'a number beyond float32',
      ['a', '1e39'],
      {},
      'NotFinite',
      `${at('a', 2)}: found 1e+39, expected a number that float32 holds`,
    ],
    ['a hexadecimal number', ['a', '0x10'], {}, 'InvalidInput', 'found "0x10"'],
    ['a decimal comma', ['a', '"1,5"'], {}, 'InvalidInput', 'found "1,5"'],
    ['lines within quotes', ['a,b', '"1', '",2', '3,x'], { inputs: ['b'] }, 'InvalidInput', at('b', 4)],
    ['too few cells', ['a,b', '1'], {}, 'InvalidFile', 'found 1 cell in line 2, expected 2, as in the first row'],
    ['too many cells', ['a,b', '1,2', '1,2,3'], {}, 'InvalidFile', 'found 3 cells in line 3'],
    ['an open quote', ['a,b', '1,"2'], {}, 'InvalidFile', 'Quote Not Closed'],
    ['a name twice', ['a,a', '1,2'], {}, 'InvalidFile', 'found the column "a" twice'],
    ['the index of pandas', [',a', '0,2'], {}, 'InvalidFile', 'found no name for column 1', 'index=False'],
    ['nothing', [''], {}, 'InvalidFile', 'no row'],
    ['names alone', ['a,b'], {}, 'Empty', 'found no example'],
    ['no names, by default', ['1,2', '3,4'], { target: ['2', '1'] }, 'Empty', 'without a number'],
    ['an unknown target', ['a,b', '1,2'], { target: ['price'] }, 'InvalidInput', 'has no column "price"', '"a", "b"'],
    ['an unknown input', ['a,b', '1,2'], { inputs: ['c'] }, 'InvalidInput', 'has no column "c"'],
    ['a label that is missing', ['a,b', '1,x', '2,'], { target: ['b'] }, 'NotFinite', at('b', 3)],
    ['a label that is NaN', ['a,b', '1,NaN'], { target: ['b'] }, 'NotFinite', at('b', 2)],
    ['a label beyond float32', ['a,b', '1,2', '1,1e99'], { target: ['b'] }, 'NotFinite', at('b', 3)],
    ['text among numbers', ['a,b', '1,2', '1,x'], { target: ['b'] }, 'InvalidInput', at('b', 3), 'as in line 2'],
    ['text beside numbers', ['a,b,c', '1,2,x'], { target: ['b', 'c'] }, 'InvalidInput', at('c', 2), 'target: ["c"]'],
  ] as const)('%s', async (_, lines, options, kind, ...words) => {
    const error = await failure(readData([csv(...lines)], options));
    expect(error.kind).toBe(kind);
    for (const word of words) expect(error.message).toContain(word);
  });
});
