/** The script python/tfjs_laplace.py reads and writes the same files as the library, byte for byte, and refuses the same. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { encodeFactors, encodePosterior } from 'tfjs-laplace';
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

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hex = (path: string, name: string): string => readFileSync(join(path, name)).toString('hex');
