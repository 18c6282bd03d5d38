/** Files that are damaged or made up: every cut, every changed byte, and headers of every wrong kind give a typed error, and nothing is thrown. */
import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { decodeFactors, decodePosterior, encodeFactors, encodePosterior, type LaplaceError } from 'tfjs-laplace';
import { sealed } from '../../src/files/container.js';
import { strictJson } from '../../src/files/json.js';
import { readSafetensors } from '../../src/files/safetensors.js';
import { partsOf, placesIn, replaced, resealed } from '../support/fileParts.js';
import { KEPT, keptOf, ownLikelihood } from '../support/kept.js';
import { entry, fileOf, MADE_UP } from '../support/madeUpFiles.js';
import { right } from '../support/math/laplace.js';

const likelihoods = [ownLikelihood];
type Decode = (bytes: Uint8Array) => E.Either<LaplaceError, unknown>;
const DECODE: Readonly<Record<'posterior' | 'factors', Decode>> = {
  posterior: (bytes) => decodePosterior(bytes, { likelihoods }),
  factors: (bytes) => decodeFactors(bytes, { likelihoods }),
};

const files = new Map<string, Readonly<Record<'posterior' | 'factors', Uint8Array>>>();
beforeAll(async () => {
  for (const name of Object.keys(KEPT)) {
    const { posterior, factors } = await keptOf(name);
    files.set(name, { posterior: right(encodePosterior(posterior)), factors: right(encodeFactors(factors)) });
  }
});

const fileNamed = (kind: 'posterior' | 'factors', name: string): Uint8Array => files.get(name)?.[kind] as Uint8Array;

/** The kind of the error; undefined if there is none. What is thrown is thrown on. */
const kindOf = (found: E.Either<LaplaceError, unknown>): string | undefined => (E.isLeft(found) ? found.left.kind : undefined);

describe.each(Object.keys(KEPT))('%s', (name) => {
  describe.each(['posterior', 'factors'] as const)('%s', (kind) => {
    it('is refused wherever it is cut off', () => {
      const bytes = files.get(name)?.[kind] as Uint8Array;
      const wrong = Array.from(bytes.keys()).filter((end) => kindOf(DECODE[kind](bytes.subarray(0, end))) !== 'InvalidFile');
      expect(wrong).toEqual([]);
      expect(kindOf(DECODE[kind](Uint8Array.of(...bytes, 0)))).toBe('InvalidFile');
    });

    it('is refused whichever byte is another', () => {
      const bytes = Uint8Array.from(files.get(name)?.[kind] as Uint8Array);
      const wrong: number[] = [];
      for (let at = 0; at < bytes.length; at++) {
        const was = bytes[at] as number;
        bytes[at] = was ^ (1 << (at % 8));
        if (kindOf(DECODE[kind](bytes)) !== 'InvalidFile') wrong.push(at);
        bytes[at] = was;
      }
      expect(wrong).toEqual([]);
      expect(kindOf(DECODE[kind](bytes))).toBeUndefined();
    });
  });
});

describe.each(['posterior', 'factors'] as const)('a %s whose hash is right', (kind) => {
  it('is refused, or is whole, whatever stands in its manifest', () => {
    const names = fc.constantFrom(...Object.keys(KEPT));
    const values = fc.oneof(fc.constant(undefined), fc.jsonValue(), fc.constantFrom(-1, 0, 0.5, 2 ** 53, 1e308, '', '__proto__'));
    fc.assert(
      fc.property(names, fc.nat(), values, (name, which, by) => {
        const { manifest, matrices } = partsOf(kind, fileNamed(kind, name));
        const places = placesIn(manifest);
        const changed = replaced(manifest, places[which % places.length] as string[], by);
        if (typeof changed !== 'object' || changed === null) return;
        const found = DECODE[kind](resealed(kind, changed, matrices));
        if (E.isLeft(found)) expect(['InvalidFile', 'Mismatch']).toContain(found.left.kind);
        // What was read can be written and read again.
        else
          expect(
            E.isRight(kind === 'posterior' ? encodePosterior(found.right as never) : encodeFactors(found.right as never)),
          ).toBe(true);
      }),
      { seed: 3, numRuns: 600 },
    );
  });

  it('is refused if an array is missing, is added, has another shape, or holds NaN or an impossible number', () => {
    for (const name of Object.keys(KEPT)) {
      const { manifest, matrices } = partsOf(kind, fileNamed(kind, name));
      for (const [key, matrix] of matrices) {
        const without = new Map([...matrices].filter(([other]) => other !== key));
        const taller = new Map(matrices).set(key, {
          ...matrix,
          rows: matrix.rows + 1,
          data: new Float64Array((matrix.rows + 1) * matrix.cols),
        });
        const isOptional = (name === 'eigen' && /Vectors/.test(key)) || /rank|rotation/.test(key);
        if (!isOptional)
          expect([name, key, kindOf(DECODE[kind](resealed(kind, manifest, without)))]).toEqual([name, key, 'InvalidFile']);
        if (!/rank/.test(key)) expect(kindOf(DECODE[kind](resealed(kind, manifest, taller)))).toBe('InvalidFile');
      }
      for (const [key, matrix] of matrices) {
        if (!/Values|curvature|diagonal$/.test(key) || kind === 'factors') continue;
        const negative = new Map(matrices).set(key, { ...matrix, data: matrix.data.map(() => -1) });
        expect(kindOf(DECODE[kind](resealed(kind, manifest, negative)))).toBe('InvalidFile');
      }
      const more = new Map(matrices).set('more', { rows: 1, cols: 1, data: Float64Array.of(1) });
      expect(kindOf(DECODE[kind](resealed(kind, manifest, more)))).toBe('InvalidFile');
      const [first] = matrices.keys();
      const nan = sealed(
        kind,
        manifest,
        [...matrices].map(([key, { rows, cols, data }]) => ({
          name: key,
          shape: [rows, cols],
          values: key === first ? data.map(() => Number.NaN) : data,
        })),
        'F64',
      );
      expect(DECODE[kind](nan)).toMatchObject({ left: { kind: 'InvalidFile', message: expect.stringContaining('not finite') } });
    }
  });
});

/** Changes of a manifest that leave it well-formed, but its parts do not belong together. */
const INCONSISTENT: ReadonlyArray<
  readonly [words: string, kind: 'posterior' | 'factors', name: string, path: ReadonlyArray<string>, by: unknown]
> = [
  ['two layers of one name', 'posterior', 'kronecker', ['layers', '1', 'name'], 'dense_Dense'],
  ['members elsewhere', 'posterior', 'kronecker', ['layers', '0', 'members'], ['nowhere']],
  ['another estimator', 'posterior', 'kronecker', ['estimator'], { _tag: 'full', fisher: { _tag: 'exact' } }],
  ['an estimator with shares, and none', 'posterior', 'kronecker', ['estimator', 'noise'], 'perOutput'],
  ['shares, and an estimator without', 'posterior', 'kronecker with shares', ['estimator', 'noise'], undefined],
  ['shares of another number of outputs', 'posterior', 'kronecker with shares', ['outputs'], 3],
  ['shares without a noise variance', 'posterior', 'kronecker with shares', ['likelihood'], { _tag: 'poisson' }],
  ['no rotations for ekfac', 'factors', 'eigen', ['isRotated'], false],
  ['rotations for kfac', 'factors', 'kronecker', ['isRotated'], true],
  ['counted examples of none', 'factors', 'kronecker', ['datasetSize'], 0],
  ['a layer that is covered twice', 'factors', 'kronecker', ['layout', 'covered'], ['a', 'a']],
];

it.each(INCONSISTENT)('refuses %s', (_, kind, name, path, by) => {
  const { manifest, matrices } = partsOf(kind, fileNamed(kind, name));
  const { layers, layout } = manifest as { layers?: Array<{ name: string }>; layout?: { layers: Array<{ name: string }> } };
  const first = (layers ?? layout?.layers)?.[0]?.name as string;
  const value = by === 'dense_Dense' ? first : path.at(-1) === 'covered' ? [first, first] : by;
  const changed = replaced(manifest, path, value) as object;
  const members = path.at(-1) === 'name' ? (replaced(changed, ['layers', '1', 'members'], [first]) as object) : changed;
  expect(DECODE[kind](resealed(kind, members, matrices))).toMatchObject({ left: { kind: 'InvalidFile' } });
});

it('refuses half of a low rank', () => {
  const { manifest, matrices } = partsOf('posterior', fileNamed('posterior', 'low rank'));
  for (const key of [...matrices.keys()].filter((one) => one.includes('rank'))) {
    const half = new Map([...matrices].filter(([other]) => other !== key));
    expect(kindOf(DECODE.posterior(resealed('posterior', manifest, half)))).toBe('InvalidFile');
  }
});

it('has a typed error for strings, lists and nesting of any length', () => {
  const long = 'x'.repeat(2 ** 24);
  expect(kindOf(decodePosterior(fileOf(JSON.stringify({ __metadata__: { a: long } }))))).toBe('InvalidFile');
  expect(kindOf(decodePosterior(fileOf(JSON.stringify({ __metadata__: { a: '\\"'.repeat(2 ** 20) } }))))).toBe('InvalidFile');
  expect(kindOf(decodePosterior(fileOf(`{"a":${'['.repeat(2 ** 24)}`)))).toBe('InvalidFile');
  const { manifest, matrices } = partsOf('posterior', fileNamed('posterior', 'kronecker'));
  const found = DECODE.posterior(resealed('posterior', { ...manifest, layers: new Array(400_000).fill(0) }, matrices));
  expect(found).toMatchObject({ left: { kind: 'InvalidFile', message: expect.stringContaining('more') } });
});

describe('safetensors', () => {
  it('reads a plain file of another maker', () => {
    const found = right(readSafetensors(fileOf(entry({ shape: [] }), 8)));
    expect(found.entries.get('a')?.shape).toEqual([]);
    expect(right(readSafetensors(fileOf('{}'))).entries.size).toBe(0);
    expect(decodePosterior(fileOf('{}'))).toMatchObject({ left: { kind: 'InvalidFile', field: 'format' } });
  });

  it.each(MADE_UP)('refuses %s', (_, bytes) => {
    expect(E.isLeft(readSafetensors(bytes))).toBe(true);
    expect(kindOf(decodePosterior(bytes))).toBe('InvalidFile');
    expect(kindOf(decodeFactors(bytes))).toBe('InvalidFile');
  });

  it('takes a key like a prototype for a key', () => {
    const found = right(readSafetensors(fileOf('{"__proto__":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}', 8)));
    expect([...found.entries.keys()]).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });

  it('refuses a newer version by name, before it looks at anything else', () => {
    const header = '{"__metadata__":{"format":"tfjs-laplace","format_version":"7","library_version":"9.9.9"}}';
    expect(decodePosterior(fileOf(header))).toMatchObject({
      left: {
        kind: 'InvalidFile',
        field: 'format_version',
        message: expect.stringMatching(/version 7, by tfjs-laplace 9\.9\.9.*Update/),
      },
    });
  });
});

it('refuses JSON that says two things, and reads all other JSON as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, space) => {
      expect(strictJson(JSON.stringify(value, null, space))).toEqual(E.right(JSON.parse(JSON.stringify(value))));
    }),
    { seed: 3 },
  );
  for (const text of ['{"a":1,"a":1}', '[{"b":{"x":1, "y":2 , "x" :3}}]', '{"a\\"":1,"a\\u0022":2}'])
    expect(strictJson(text)).toMatchObject({ left: expect.stringContaining('twice') });
  expect(E.isRight(strictJson('{"a":{"a":{"a":1}},"b":["a","a",{"a":1},{"a":1}]}'))).toBe(true);
});
