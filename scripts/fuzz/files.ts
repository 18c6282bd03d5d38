/** Files that are damaged, and files whose parts do not belong together but whose hash is right. */
import { isDeepStrictEqual } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  decodeFactors,
  decodePosterior,
  encodeFactors,
  encodePosterior,
  evidence,
  type Factors,
  isLaplaceError,
  type LaplaceError,
  linearised,
  type Matrix,
  type Posterior,
} from 'tfjs-laplace';
import { partsOf, placesIn, replaced } from '../../__tests__/support/fileParts.js';
import { KEPT, keptOf, ownLikelihood } from '../../__tests__/support/kept.js';
import { posteriorFrom, predictOne, right } from '../../__tests__/support/math/laplace.js';
import { memoised } from '../../__tests__/support/memoised.js';
import { sealed } from '../../src/files/container.js';
import { claim } from './kind.js';
import { kindOf } from './kindOf.js';

type FileKind = 'posterior' | 'factors';
const LIKELIHOODS = { likelihoods: [ownLikelihood] };

/** How a file is changed. Numbers choose a place, and are taken modulo the number of places. */
type Change =
  | { readonly what: 'flip'; readonly at: number; readonly bit: number }
  | { readonly what: 'cut'; readonly at: number; readonly bytes: number }
  | { readonly what: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly what: 'move'; readonly at: number; readonly bytes: number; readonly to: number }
  | { readonly what: 'manifest'; readonly at: number; readonly by: unknown }
  | { readonly what: 'copied'; readonly at: number; readonly from: number }
  | { readonly what: 'number'; readonly array: number; readonly at: number; readonly by: number }
  | { readonly what: 'shape'; readonly array: number; readonly rows: number; readonly cols: number }
  | { readonly what: 'rename'; readonly array: number; readonly to: number };

/** A file and what is done to it, one change after another. */
interface Damage {
  readonly name: string;
  readonly kind: FileKind;
  readonly changes: ReadonlyArray<Change>;
}

const what = <W extends Change['what']>(tag: W) => fc.constant(tag);
const at = fc.nat(1e5);
const size = fc.integer({ min: 1, max: 64 });
const bytewise = fc.oneof(
  fc.record({ what: what('flip'), at, bit: fc.nat(7) }),
  fc.record({ what: what('cut'), at, bytes: size }),
  fc.record({ what: what('insert'), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
  fc.record({ what: what('move'), at, bytes: size, to: at }),
);
const NUMBERS = [0, -0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 1e308, -1e308, 1e-30, 1e30, 2 ** 53];
const VALUES = [
  undefined,
  null,
  true,
  '',
  '__proto__',
  'kronecker',
  'full',
  'eigen',
  'exact',
  [],
  {},
  ...NUMBERS.filter(Number.isFinite),
];
const within = fc.oneof(
  fc.record({ what: what('manifest'), at, by: fc.oneof(fc.constantFrom(...VALUES), fc.jsonValue()) }),
  fc.record({ what: what('copied'), at, from: at }),
  fc.record({ what: what('number'), array: at, at, by: fc.oneof(fc.constantFrom(...NUMBERS), fc.double()) }),
  fc.record({ what: what('shape'), array: at, rows: fc.integer({ min: 0, max: 6 }), cols: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ what: what('rename'), array: at, to: at }),
);
const few = <A>(one: fc.Arbitrary<A>): fc.Arbitrary<A[]> => fc.array(one, { minLength: 1, maxLength: 3 });

const damages: fc.Arbitrary<Damage> = fc.record({
  name: fc.constantFrom(...Object.keys(KEPT)),
  kind: fc.constantFrom('posterior', 'factors'),
  changes: fc.oneof(few(bytewise), few(within)),
}) as fc.Arbitrary<Damage>;

const kept = memoised(async (name: string) => {
  const own = await keptOf(name);
  return { ...own, files: { posterior: right(encodePosterior(own.posterior)), factors: right(encodeFactors(own.factors)) } };
});

const isBytewise = ({ what: own }: Change): boolean => ['flip', 'cut', 'insert', 'move'].includes(own);

/** The bytes after a change of bytes. */
function changed(bytes: Uint8Array, change: Change): Uint8Array {
  const all = Array.from(bytes);
  const place = 'at' in change ? change.at % (all.length + 1) : 0;
  if (change.what === 'flip' && place < all.length) all[place] = (all[place] as number) ^ (1 << change.bit);
  if (change.what === 'cut') all.splice(place, change.bytes);
  if (change.what === 'insert') all.splice(place, 0, ...change.bytes);
  if (change.what === 'move') all.splice(change.to % (all.length + 1), 0, ...all.splice(place, change.bytes));
  return Uint8Array.from(all);
}

/** A file whose manifest and arrays are changed. Undefined if nobody could write it. */
function rewritten(kind: FileKind, file: Uint8Array, changes: ReadonlyArray<Change>): Uint8Array | undefined {
  const { manifest: first, matrices } = partsOf(kind, file);
  let manifest: unknown = first;
  let arrays = [...matrices];
  const of = <A>(list: ReadonlyArray<A>, i: number): A => list[i % list.length] as A;
  const withArray = (i: number, edit: (own: readonly [string, Matrix]) => [string, Matrix]): void => {
    arrays = arrays.map((own, k) => (k === i % arrays.length ? edit(own) : own));
  };
  for (const change of changes) {
    const places = placesIn(manifest);
    if (change.what === 'manifest') manifest = replaced(manifest, of(places, change.at), change.by);
    if (change.what === 'copied') manifest = replaced(manifest, of(places, change.at), partAt(manifest, of(places, change.from)));
    if (change.what === 'rename') {
      const other = of(arrays, change.to)[1];
      withArray(change.array, ([key]) => [key, other]);
    }
    if (change.what === 'shape') {
      const { rows, cols } = change;
      withArray(change.array, ([key]) => [key, { rows, cols, data: new Float64Array(rows * cols).fill(0.5) }]);
    }
    if (change.what === 'number') {
      withArray(change.array, ([key, matrix]) => [
        key,
        { ...matrix, data: matrix.data.map((v, i) => (i === change.at % matrix.data.length ? change.by : v)) },
      ]);
    }
  }
  if (typeof manifest !== 'object' || manifest === null) return undefined;
  const named = arrays.map(([name, { rows, cols, data }]) => ({ name, shape: [rows, cols], values: data }));
  return sealed(kind, manifest, named, 'F64');
}

const partAt = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], value);

const decoded = (kind: FileKind, bytes: Uint8Array): E.Either<LaplaceError, Posterior | Factors> =>
  kind === 'posterior' ? decodePosterior(bytes, LIKELIHOODS) : decodeFactors(bytes, LIKELIHOODS);

const encoded = (value: Posterior | Factors): E.Either<LaplaceError, Uint8Array> =>
  value._tag === 'Posterior' ? encodePosterior(value) : encodeFactors(value);

/** Reads the damaged file. A value that comes out is whole: it can be written, read again and used. */
async function check({ name, kind, changes }: Damage): Promise<void> {
  const own = await kept(name);
  const file = own.files[kind];
  const areBytes = changes.every(isBytewise);
  const bytes = areBytes ? changes.reduce(changed, file) : rewritten(kind, file, changes);
  if (bytes === undefined) return;
  const found = decoded(kind, bytes);
  const isSame = isDeepStrictEqual(bytes, file);
  if (E.isLeft(found)) {
    claim(!isSame, () => `the file itself is refused: ${found.left.message}`);
    claim(isLaplaceError(found.left), () => `an error of no kind: ${String(found.left)}`);
    claim(
      ['InvalidFile', 'Mismatch'].includes(found.left.kind),
      () => `an error of the kind ${found.left.kind}: ${found.left.message}`,
    );
    return;
  }
  claim(!areBytes || isSame, () => 'a file with other bytes is read');
  const again = decoded(kind, right(encoded(found.right)));
  claim(isDeepStrictEqual(right(again), found.right), () => 'a value is another one when it is written and read again');
  await use(found.right, own.model, own.x);
}

/** Uses a value that was read. It may be refused with a typed error. */
async function use(value: Posterior | Factors, model: tf.LayersModel, x: tf.Tensor[]): Promise<void> {
  const before = tf.memory().numTensors;
  try {
    const posterior = value._tag === 'Posterior' ? value : await posteriorFrom(value, {});
    evidence(posterior);
    await predictOne(model, posterior, linearised(), x);
  } catch (error) {
    if (!isLaplaceError(error)) throw error;
  }
  claim(tf.memory().numTensors === before, () => `${tf.memory().numTensors - before} tensors stay on the device`);
}

/** Damaged files. */
export const files = kindOf({
  name: 'files',
  about: 'a file of a posterior or of factors with other bytes, or with other contents and a right hash',
  share: 40,
  cases: damages,
  check,
  show: ({ changes, ...own }) =>
    `${own.kind} of '${own.name}': ${changes.map((change) => JSON.stringify(change, shown)).join(', ')}`,
});

/** Numbers that JSON does not have, by name. */
const shown = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !(Number.isFinite(value) && !Object.is(value, -0))
    ? Object.is(value, -0)
      ? '-0'
      : String(value)
    : value instanceof Uint8Array
      ? Array.from(value)
      : value;
