/** IDX and NPY: every type against what numpy wrote, and every way in which a file can be damaged. */
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { type LaplaceError, orThrow } from 'tfjs-laplace';
import { decodeIdx, decodeNpy, type NumberArray, readData } from 'tfjs-laplace/plugins/data-files';
import { IDX_TYPES, idx } from '../../support/idx.js';
import { bytesOf, failure, VALUES, written } from './files.js';

const npyOf = (name: string) => bytesOf(VALUES.arrays.find((own) => own.name === name)?.file ?? '');

describe('an array of numpy', () => {
  it.each(VALUES.arrays.map((own) => [own.name, own] as const))('has the values of numpy: %s', (_, { file, shape, values }) => {
    const read = orThrow(decodeNpy(bytesOf(file)));
    expect(read.shape).toEqual(shape);
    expect([...read.data]).toEqual(values);
  });

  it.each(VALUES.arrays.map((own) => [own.name, own] as const))('may lie anywhere in memory: %s', (_, { file, values }) => {
    const bytes = bytesOf(file);
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect([...orThrow(decodeNpy(moved.subarray(3))).data]).toEqual(values);
  });

  it('is not copied where the machine has its numbers in the same form', () => {
    const bytes = npyOf('version 1');
    expect(orThrow(decodeNpy(bytes)).data.buffer).toBe(bytes.buffer);
  });

  it.each(VALUES.refused.map(({ file, words }) => [words.join(' '), file, words] as const))(
    'is refused by name: %s',
    async (_, file, words) => {
      const error = await failure(readData([written('x.npy', bytesOf(file))]));
      expect(error.kind).toBe('InvalidFile');
      for (const word of words) expect(error.message).toContain(word);
    },
  );
});

describe('an array of MNIST', () => {
  it.each(IDX_TYPES)('is read back as it was written: type %i', (type, size) => {
    const [low, high] = size === 1 ? [type === 8 ? 0 : -128, 127] : [-30_000, 30_000];
    const value = type > 12 ? fc.integer({ min: low, max: high }).map((v) => v / 8) : fc.integer({ min: low, max: high });
    fc.assert(
      fc.property(fc.array(fc.array(value, { minLength: 3, maxLength: 3 })), fc.nat(9), (rows, offset) => {
        const bytes = idx([rows.length, 3, 1], rows.flat(), type);
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        const { shape, data } = orThrow(decodeIdx(moved.subarray(offset)));
        expect([shape, [...data]]).toEqual([[rows.length, 3, 1], rows.flat()]);
      }),
    );
  });

  it('says what is wrong', () => {
    const words = (bytes: Uint8Array) => E.match((error: LaplaceError) => error.message, String)(decodeIdx(bytes, 'the file'));
    expect(words(Uint8Array.of(0, 0, 7, 1))).toContain('found the first bytes 0, 0, 7, 1');
    expect(words(idx([2], [1, 2]).subarray(0, 5))).toContain('found 5 bytes, expected a header of 8 bytes');
    expect(words(idx([3, 2], [1, 2, 3, 4, 5]))).toContain('found 5 bytes of values, expected 6 for the shape [3, 2]');
    expect(words(idx([2], [1, 2, 3]))).toContain('found 3 bytes of values, expected 2');
  });
});

describe('damage', () => {
  const idxFile = idx([2, 3], [1, 2, 3, 4, 5, 6], 11);
  const npyFile = npyOf('Fortran, a matrix');
  const FILES: ReadonlyArray<readonly [string, Uint8Array, number, (bytes: Uint8Array) => E.Either<LaplaceError, NumberArray>]> =
    [
      ['IDX', idxFile, 12, decodeIdx],
      ['NPY', npyFile, 128, decodeNpy],
      ['NPY of version 2', npyOf('version 2'), 128, decodeNpy],
    ];
  const kindOf = (read: E.Either<LaplaceError, NumberArray>) => (E.isLeft(read) ? read.left.kind : read.right.shape);

  it.each(FILES)('every cut of %s is refused', (_, file, __, decode) => {
    for (let end = 0; end < file.length; end++) expect(kindOf(decode(file.slice(0, end)))).toBe('InvalidFile');
  });

  it.each(FILES)('a byte too many makes %s invalid', (_, file, __, decode) => {
    expect(kindOf(decode(Uint8Array.of(...file, 0)))).toBe('InvalidFile');
  });

  it.each(FILES)(
    'every changed bit of the header of %s is refused, or leaves as many numbers as there are',
    (_, file, header, decode) => {
      const whole = orThrow(decode(file));
      let refused = 0;
      for (let at = 0; at < header; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const changed = Uint8Array.from(file);
          changed[at] = (changed[at] as number) ^ (1 << bit);
          const read = decode(changed);
          if (E.isLeft(read)) {
            refused++;
            expect(read.left.kind).toBe('InvalidFile');
          } else {
            expect(read.right.shape).toEqual(whole.shape);
            expect(read.right.data.length).toBe(whole.data.length);
          }
        }
      }
      // Blanks and the names of types leave some changes unseen.
      expect(refused).toBeGreaterThan(header);
    },
  );

  it('a header that promises more than the file has takes no memory', () => {
    const huge = idx([2], [1, 2]);
    new DataView(huge.buffer).setUint32(4, 0xffffffff);
    expect(kindOf(decodeIdx(huge))).toBe('InvalidFile');
  });

  it('zipped files are read, and refused when they are cut', async () => {
    const zipped = gzipSync(idxFile);
    expect([...(await readData([written('x.gz', zipped)])).x]).toEqual([1, 2, 3, 4, 5, 6]);
    for (let end = 3; end < zipped.length; end += 5) {
      expect((await failure(readData([written('x.gz', zipped.subarray(0, end))]))).kind).toBe('InvalidFile');
    }
  });
});
