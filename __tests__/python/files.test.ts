/** The script python/tfjs_laplace.py reads and writes the same files as the library, byte for byte, and refuses the same. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { decodeFactors, decodePosterior, encodeFactors, encodePosterior, type LaplaceError, type Posterior } from 'tfjs-laplace';
import { opened, sealed } from '../../src/files/container.js';
import { fingerprint } from '../../src/network/weights.js';
import { LIBRARY_VERSION } from '../../src/version.js';
import { KEPT, type Kept, keptOf } from '../support/kept.js';
import { right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { folder, withPython, work } from './process.js';

const CASES = Object.keys(KEPT);
const DTYPES = ['F64', 'F32', 'F16', 'BF16'] as const;
const kept = new Map<string, Kept>();
beforeAll(async () => {
  for (const name of CASES) kept.set(name, await keptOf(name));
});
const own = (name: string): Kept => kept.get(name) as Kept;

it('the script names the version of the library', () => {
  const script = readFileSync(join(__dirname, '..', '..', 'python', 'tfjs_laplace.py'), 'utf8');
  expect(script).toContain(`LIBRARY_VERSION = "${LIBRARY_VERSION}"`);
});

withPython('tfjs_laplace.py', () => {
  it('writes what it read byte for byte, in every format, and from values alone', () => {
    const path = folder();
    const encoded = CASES.flatMap((name, i) => [
      [`${i}p`, (dtype: (typeof DTYPES)[number]) => right(encodePosterior(own(name).posterior, { dtype }))] as const,
      [`${i}f`, (dtype: (typeof DTYPES)[number]) => right(encodeFactors(own(name).factors, { dtype }))] as const,
    ]);
    for (const [file, bytes] of encoded) writeFileSync(join(path, `${file}.in`), bytes('F64'));
    expect(work('written_again', path)).toBe(encoded.length * 7);
    for (const [file, bytes] of encoded) {
      for (const dtype of DTYPES)
        expect([file, dtype, hex(path, `${file}.${dtype}`)]).toEqual([file, dtype, hexOf(bytes(dtype))]);
      expect(hex(path, `${file}.anew`)).toBe(hexOf(bytes('F64')));
      expect(hex(path, `${file}.again`)).toBe(hexOf(bytes('BF16')));
    }
  });

  it('rounds as the library does, just beside the middle between two numbers too', () => {
    const path = folder();
    const { posterior } = own('kronecker');
    const [first, ...rest] = posterior.layers as [Posterior['layers'][number]];
    const odd = [2 ** -8, 3 * 2 ** -8, 2 ** -11, 3 * 2 ** -11, 2 ** -24].flatMap((middle) => [
      1 + middle,
      1 + middle + 2 ** -50,
      1 + middle - 2 ** -50,
      -(1 + middle + 2 ** -50),
      (1 + middle) * 2 ** -20,
    ]);
    const mean = { rows: first.mean.rows, cols: first.mean.cols };
    for (let at = 0; at < odd.length; at += mean.rows * mean.cols) {
      const data = Float64Array.from(first.mean.data, (v, i) => odd[at + i] ?? v);
      const changed = { ...posterior, layers: [{ ...first, mean: { ...mean, data } }, ...rest] } as Posterior;
      writeFileSync(join(path, 'one.in'), right(encodePosterior(changed)));
      work('written_again', path);
      for (const dtype of DTYPES) expect(hex(path, `one.${dtype}`)).toBe(hexOf(right(encodePosterior(changed, { dtype }))));
    }
  });

  it('refuses a file wherever it is cut off, and whichever byte is another', () => {
    for (const bytes of [right(encodePosterior(own('kronecker').posterior)), right(encodeFactors(own('eigen').factors))]) {
      const path = folder();
      writeFileSync(join(path, 'whole.in'), bytes);
      expect(work('changed', path)).toEqual({ bytes: bytes.length, wrong: 0 });
    }
  });

  it('refuses newer versions, other kinds, and manifests that do not fit, although the hash is right', () => {
    const path = folder();
    const bytes = right(encodePosterior(own('kronecker').posterior));
    const { manifest, entries } = right(opened('posterior', bytes));
    const arrays = [...entries].map(([name, { shape, read }]) => ({ name, shape, values: read() }));
    const write = (name: string, file: Uint8Array): void => writeFileSync(join(path, `${name}.in`), file);
    const changedText = (from: string, to: string): Uint8Array =>
      Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1');
    write('sound', sealed('posterior', manifest as object, arrays, 'F64'));
    write('version', changedText('"format_version":"1"', '"format_version":"2"'));
    write('format', changedText('tfjs-laplace', 'tfjs-laplacf'));
    write('kind', sealed('other' as never, manifest as object, arrays, 'F64'));
    write('damping', sealed('posterior', { ...(manifest as object), damping: { _tag: 'none' } }, arrays, 'F64'));
    write('missing', sealed('posterior', manifest as object, arrays.slice(1), 'F64'));
    write(
      'further',
      sealed('posterior', manifest as object, [...arrays, { ...(arrays[0] as (typeof arrays)[0]), name: 'x' }], 'F64'),
    );
    write('factors', sealed('factors', manifest as object, arrays, 'F64'));
    write('empty', new Uint8Array());
    expect(work('refused', path)).toEqual({
      sound: 'posterior',
      version: expect.stringMatching(
        /^FileError: A newer version .* found format version 2, by tfjs-laplace .* expected at most format version 1/,
      ),
      format: expect.stringMatching(/^FileError: .*'tfjs-laplacf'/),
      kind: expect.stringMatching(/^FileError: .*'other'/),
      damping: expect.stringMatching(/^FileError: .*manifest\.damping/),
      missing: expect.stringMatching(/^FileError: .*no array/),
      further: expect.stringMatching(/^FileError: .*"x"/),
      factors: expect.stringMatching(/^FileError: /),
      empty: expect.stringMatching(/^FileError: .*0 bytes/),
    });
  });

  it.each(['kronecker', 'kronecker with shares', 'groups', 'eigen', 'full with shares', 'low rank'])(
    'takes and refuses the same manifests as the library: %s',
    (name) => {
      const path = folder();
      const expected: Record<string, boolean> = {};
      const files = { posterior: right(encodePosterior(own(name).posterior)), factors: right(encodeFactors(own(name).factors)) };
      for (const kind of ['posterior', 'factors'] as const) {
        const { manifest, entries } = right(opened(kind, files[kind]));
        const arrays = [...entries].map(([key, { shape, read }]) => ({ name: key, shape, values: read() }));
        const decode = { posterior: decodePosterior, factors: decodeFactors }[kind];
        for (const place of placesIn(manifest)) {
          // The script leaves the fields of likelihoods and estimators to the library.
          if (place.some((key) => key === 'likelihood' || key === 'estimator')) continue;
          JUNK.forEach((junk, i) => {
            const bytes = sealed(kind, changedAt(manifest, place, junk) as object, arrays, 'F64');
            const id = `${kind} ${place.join('.')} ${i}`;
            writeFileSync(join(path, `${id}.in`), bytes);
            expected[id] = isTaken(decode(bytes));
          });
        }
      }
      expect(Object.values(expected)).toContain(true);
      const found = Object.entries(work<Record<string, string>>('refused', path));
      expect(Object.fromEntries(found.map(([id, what]) => [id, !what.startsWith('FileError')]))).toEqual(expected);
    },
  );

  it('refuses headers of every wrong kind with a FileError, and nothing else', () => {
    const path = folder();
    const array = (fields: string): string => `{"__metadata__":{"format":"tfjs-laplace"},"a":{${fields}}}`;
    const headers = [
      '',
      '[]',
      '{',
      '{"a":NaN}',
      '{"__metadata__":{"a":1}}',
      '{"__metadata__":{},"__metadata__":{}}',
      `{"a":${'['.repeat(40)}${']'.repeat(40)}}`,
      `{"a":${'['.repeat(100_000)}`,
      `{"a":${'1'.repeat(6000)}}`,
      '{"\\ud800":1}',
      array('"dtype":"F64","shape":[1],"data_offsets":[0,8]'),
      array('"dtype":"F64","shape":[true],"data_offsets":[0,8]'),
      array('"dtype":"F64","shape":[1e400],"data_offsets":[0,8]'),
      array('"dtype":"F64","shape":[4503599627370496,4503599627370496],"data_offsets":[0,8]'),
      array('"dtype":"F8","shape":[1],"data_offsets":[0,8]'),
      array('"dtype":["F64"],"shape":[1],"data_offsets":[0,8]'),
      array('"dtype":"F64","shape":[0],"data_offsets":[8,8]'),
      array('"dtype":"F64","shape":[1],"data_offsets":[0]'),
      array('"dtype":"F64","shape":1,"data_offsets":[0,8]'),
      array('"dtype":"F64","shape":[1]'),
    ];
    headers.forEach((header, i) => {
      const text = Buffer.from(header);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      writeFileSync(join(path, `${i}.in`), Buffer.concat([length, text, Buffer.alloc(8)]));
    });
    const found = Object.values(work<Record<string, string>>('refused', path));
    expect(found).toHaveLength(headers.length);
    expect(found.filter((what) => !what.startsWith('FileError: '))).toEqual([]);
  });

  it('does not write what the library could not read, and leaves no half file', () => {
    const path = folder();
    writeFileSync(join(path, 'whole.in'), right(encodePosterior(own('kronecker').posterior)));
    expect(work('not_written', path)).toEqual({
      found: {
        nan: expect.stringContaining('finite'),
        large: expect.stringContaining('Take F64'),
        missing: expect.stringContaining('no array "layers.0.mean"'),
        further: expect.stringContaining('"layers.9.mean"'),
        shape: expect.stringContaining('shape [1, 1]'),
        negative: expect.stringContaining('below 0'),
        field: expect.stringContaining('datasetsize'),
        size: expect.stringContaining('manifest.datasetSize'),
        dtype: expect.stringContaining('F8'),
      },
      left: ['whole.in'],
    });
  });

  it('gives the fingerprint of weights', async () => {
    const path = folder();
    const model = chain([4, 2]);
    const embedding = tf.sequential({ layers: [tf.layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 2 })] });
    for (const each of [model, embedding, own('groups').model]) {
      const weights = each.getWeights().map((w) => ({ values: Array.from(w.dataSync()), dtype: 'float32' }));
      writeFileSync(join(path, 'weights.json'), JSON.stringify(weights));
      expect(work('fingerprint', path)).toBe(await fingerprint(each));
    }
  });

  it('writes JSON as JavaScript does', () => {
    const path = folder();
    const bits = new DataView(new ArrayBuffer(8));
    const random = Array.from({ length: 2000 }, (_, i) => {
      bits.setBigUint64(0, (BigInt(i + 1) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn);
      return bits.getFloat64(0);
    }).filter(Number.isFinite);
    const numbers = [
      0,
      -0,
      1,
      -2.5,
      1e-6,
      1e-7,
      1.5e-7,
      1e20,
      1e21,
      1.25e22,
      2 ** 53,
      5e-324,
      Number.MAX_VALUE,
      123456789012345680000,
    ];
    const value = { b: [...numbers, ...random], 10: true, 2: null, a: 'é"\\\n\u0001\u007f\u2028😀\ud800' };
    const text = JSON.stringify(value);
    writeFileSync(join(path, 'numbers.json'), text);
    expect(work('numbers', path)).toBe(text);
  });
});

/** Whether a file was taken. */
const isTaken = (found: E.Either<LaplaceError, unknown>): boolean => E.isRight(found);

/** What is put in the place of a part of a manifest; undefined leaves it out. */
const JUNK = [
  undefined,
  null,
  true,
  0,
  -1,
  1,
  2,
  1.5,
  2 ** 31,
  1e300,
  '',
  'text',
  'exact',
  'diagonal',
  [],
  [1],
  ['text'],
  {},
  { _tag: 'exact' },
];

/** Every place in a value of JSON except the whole. */
const placesIn = (value: unknown): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, part]) => [[key], ...placesIn(part).map((rest) => [key, ...rest])]);

/** A copy of a value of JSON with another part in one place. */
function changedAt(value: unknown, [key, ...rest]: ReadonlyArray<string>, part: unknown): unknown {
  if (key === undefined) return part;
  const own = value as Readonly<Record<string, unknown>>;
  const changed = { ...own, [key]: changedAt(own[key], rest, part) };
  return Array.isArray(value) ? Object.values(changed).filter((each) => each !== undefined) : changed;
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hex = (path: string, name: string): string => readFileSync(join(path, name)).toString('hex');
