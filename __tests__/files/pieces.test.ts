/** Files that are written piece by piece, and read a layer at a time. */
import {
  decodeFactors,
  decodePosterior,
  encodeFactors,
  encodePosterior,
  type Factors,
  type Matrix,
  openFactors,
  openPosterior,
  type Posterior,
  piecesOfFactors,
  piecesOfPosterior,
} from 'tfjs-laplace';
import { FILE_PIECE } from '../../src/limits.js';
import { KEPT, type Kept, keptOf, ownLikelihood } from '../support/kept.js';
import { right } from '../support/math/laplace.js';
import { bytesAsked, countingReader, readerOf } from '../support/readers.js';

const likelihoods = [ownLikelihood];
const CASES = Object.keys(KEPT);
const kept = new Map<string, Kept>();
beforeAll(async () => {
  for (const name of CASES) kept.set(name, await keptOf(name));
});
const own = (name: string): Kept => kept.get(name) as Kept;
const HEADER = (bytes: Uint8Array): number => 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));

describe.each(CASES)('%s', (name) => {
  it('gives a posterior layer by layer, and whole', async () => {
    const { posterior } = own(name);
    const opened = await openPosterior(readerOf(right(encodePosterior(posterior))), { likelihoods });
    const { layers, _tag, ...facts } = posterior;
    expect(opened).toMatchObject(facts);
    expect(opened.layers).toEqual(layers.map(({ mean, parts, shares, ...rest }) => rest));
    // In another order, and twice.
    for (const l of [...layers.keys(), 0].reverse()) expect(await opened.layer(l)).toStrictEqual(layers[l]);
    expect(await opened.whole()).toStrictEqual(posterior);
  });

  it('gives factors layer by layer, and whole', async () => {
    const { factors } = own(name);
    const opened = await openFactors(readerOf(right(encodeFactors(factors))), { likelihoods });
    const { layers, weights, shares, rotations, _tag, ...facts } = factors;
    expect(opened).toMatchObject(facts);
    expect(opened.squares).toEqual(shares?.map(({ squares }) => squares));
    for (const l of layers.keys()) {
      expect(await opened.layer(l)).toStrictEqual({
        ...layers[l],
        weights: weights[l],
        ...(shares && { shares: shares.map((share) => share.layers[l]) }),
        ...(rotations && { rotation: rotations[l] }),
      });
    }
    expect(await opened.whole()).toStrictEqual(factors);
  });

  it('reads of a file what is asked for, and no more', async () => {
    const bytes = right(encodePosterior(own(name).posterior, { dtype: 'F32' }));
    const file = countingReader(bytes);
    const opened = await openPosterior(file, { likelihoods, verify: false });
    expect(bytesAsked(file.asked)).toBe(HEADER(bytes) + 8);
    file.asked.length = 0;
    for (const l of opened.layers.keys()) await opened.layer(l);
    expect(bytesAsked(file.asked)).toBe(bytes.length - HEADER(bytes));
    file.asked.length = 0;
    await opened.whole();
    expect(bytesAsked(file.asked)).toBe(bytes.length - HEADER(bytes));
    const checked = countingReader(bytes);
    await openPosterior(checked, { likelihoods });
    expect(bytesAsked(checked.asked)).toBe(bytes.length + 8);
  });
});

it('takes what parts have in common from others', async () => {
  const { factors } = own('eigen');
  const apart = readerOf(right(encodeFactors(factors, { common: 'apart' })));
  const opened = await openFactors(apart, { like: factors });
  expect((await opened.layer(1)).rotation).toBe(factors.rotations?.[1]);
  expect(await opened.whole()).toStrictEqual(factors);
  await expect(openFactors(apart)).rejects.toMatchObject({ kind: 'Mismatch', field: 'like' });
});

/** Factors and a posterior with an array of more than one piece, and of no whole number of them. */
function large(): { factors: Factors; posterior: Posterior } {
  const side = Math.ceil(Math.sqrt(FILE_PIECE / 4)) + 9;
  const square = (from: number) => ({
    rows: side,
    cols: side,
    data: Float64Array.from({ length: side * side }, (_, i) => Math.abs(Math.sin(i + from))),
  });
  const { factors, posterior } = own('full');
  const [layer] = posterior.layers;
  const shape = { ...factors.layout.layers[0], n: side, m: 1 };
  const column = { rows: side, cols: 1, data: square(9).data.slice(0, side) };
  return {
    factors: {
      ...factors,
      layout: { ...factors.layout, layers: [shape as Factors['layout']['layers'][number]] },
      weights: [column],
      layers: [{ structure: 'full', parts: { gradient: square(1) } }],
    },
    posterior: {
      ...posterior,
      layers: [
        { ...layer, n: side, m: 1, mean: column, parts: { ...layer?.parts, inputValues: column, inputVectors: square(2) } },
      ] as unknown as Posterior['layers'],
    },
  };
}

describe('pieces', () => {
  it.each(['F64', 'F32'] as const)('are bounded, and are the bytes: %s', async (dtype) => {
    const { factors, posterior } = large();
    for (const [pieces, bytes] of [
      [right(piecesOfFactors(factors, { dtype })), right(encodeFactors(factors, { dtype }))],
      [right(piecesOfPosterior(posterior, { dtype })), right(encodePosterior(posterior, { dtype }))],
    ] as const) {
      const all = [...pieces];
      expect(pieces.size).toBe(bytes.length);
      expect(all[0]?.length).toBe(HEADER(bytes));
      expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(FILE_PIECE);
      expect(Buffer.concat(all).equals(bytes)).toBe(true);
      // Again from the beginning, whatever was done with the first ones.
      for (const piece of all) piece.fill(1);
      expect(Buffer.concat([...pieces]).equals(bytes)).toBe(true);
    }
  });

  it('are read in pieces too', async () => {
    const { factors, posterior } = large();
    const [first, second] = [
      countingReader(right(encodeFactors(factors))),
      countingReader(right(encodePosterior(posterior, { dtype: 'F32' }))),
    ];
    const bytes = right(encodeFactors(factors));
    expect(Buffer.compare(right(encodeFactors(await (await openFactors(first)).whole())), bytes)).toBe(0);
    expect(Buffer.compare(right(encodeFactors(right(decodeFactors(bytes)))), bytes)).toBe(0);
    const [layer] = right(decodePosterior(right(encodePosterior(posterior, { dtype: 'F32' })))).layers as [
      Posterior['layers'][number],
    ];
    const read = await (await openPosterior(second)).layer(0);
    const numbers = (own: Posterior['layers'][number]): Uint8Array =>
      new Uint8Array((own.parts as { inputVectors: Matrix }).inputVectors.data.buffer);
    expect(Buffer.compare(numbers(read), numbers(layer))).toBe(0);
    for (const { asked } of [first, second]) {
      expect(asked.length).toBeGreaterThan(4);
      expect(Math.max(...asked.map(([, length]) => length))).toBeLessThanOrEqual(FILE_PIECE);
    }
  });

  it('are made when they are asked for', () => {
    const { posterior } = own('kronecker');
    const last = posterior.layers[1]?.mean.data as Float64Array;
    const bytes = right(encodePosterior(posterior));
    const pieces = right(piecesOfPosterior(posterior))[Symbol.iterator]();
    // The header, and the first array.
    for (let i = 0; i < 2; i++) pieces.next();
    const was = last[0] as number;
    last[0] = was + 1;
    const rest = Buffer.concat([...{ [Symbol.iterator]: () => pieces }]);
    last[0] = was;
    expect(rest.equals(bytes.subarray(bytes.length - rest.length))).toBe(false);
  });
});

function changeAt(bytes: Uint8Array, place: number): void {
  bytes[place] = (bytes[place] as number) ^ 1;
}

describe('damage inside the numbers', () => {
  it('is found when the file is opened, or read whole; a layer tells what no number can be', async () => {
    const bytes = right(encodePosterior(own('kronecker').posterior));
    changeAt(bytes, HEADER(bytes) + 3);
    await expect(openPosterior(readerOf(bytes))).rejects.toMatchObject({ kind: 'InvalidFile' });
    const opened = await openPosterior(readerOf(bytes), { verify: false });
    await expect(opened.whole()).rejects.toMatchObject({ kind: 'InvalidFile', message: expect.stringContaining('hash') });
    // As the documentation says: one layer is not checked against the hash.
    await expect(opened.layer(0)).resolves.toBeDefined();
    bytes.fill(0xff, HEADER(bytes), HEADER(bytes) + 8);
    await expect(opened.layer(0)).rejects.toMatchObject({ kind: 'InvalidFile', message: expect.stringContaining('not finite') });
  });

  it('that comes after the file was opened is found in the whole', async () => {
    const bytes = right(encodeFactors(own('kronecker').factors));
    const opened = await openFactors(readerOf(bytes));
    changeAt(bytes, bytes.length - 1);
    await expect(opened.whole()).rejects.toMatchObject({ kind: 'InvalidFile', message: expect.stringContaining('hash') });
  });
});

describe('a reader', () => {
  const bytes = () => right(encodePosterior(own('kronecker').posterior));

  it('that gives too few bytes or too many is one of a damaged file', async () => {
    for (const more of [-8, 8]) {
      const file = { size: bytes().length, read: async (at: number, length: number) => bytes().slice(at, at + length + more) };
      await expect(openPosterior(file)).rejects.toMatchObject({ kind: 'InvalidFile' });
      // In the numbers alone, where no hash is looked at.
      let left = 2;
      const later = {
        ...file,
        read: async (at: number, length: number) => bytes().slice(at, at + length + (left-- > 0 ? 0 : more)),
      };
      const opened = await openPosterior(later, { verify: false });
      await expect(opened.layer(0)).rejects.toMatchObject({
        kind: 'InvalidFile',
        message: expect.stringContaining('instead of'),
      });
    }
  });

  it('that fails, fails as it does', async () => {
    const gone = new Error('the disk is gone');
    let left = 3;
    const file = readerOf(bytes());
    const read = (at: number, length: number) => (left-- > 0 ? file.read(at, length) : Promise.reject(gone));
    const opened = await openPosterior({ ...file, read });
    await expect(opened.layer(0)).rejects.toBe(gone);
    await expect(opened.whole()).rejects.toBe(gone);
  });

  it('gives a Uint8Array or an ArrayBuffer, and nothing else', async () => {
    const blob = new Blob([bytes()]);
    const read = (at: number, length: number) => blob.slice(at, at + length).arrayBuffer();
    expect(await (await openPosterior({ size: blob.size, read })).whole()).toStrictEqual(own('kronecker').posterior);
    const file = { size: 100, read: async () => 'text' as never };
    await expect(openPosterior(file)).rejects.toMatchObject({ kind: 'InvalidOption' });
  });
});

it('refuses numbers of layers that there are not, and to take what is open for the value', async () => {
  const { posterior, factors } = own('kronecker');
  const opened = await openPosterior(readerOf(right(encodePosterior(posterior))));
  for (const l of [-1, 2, 0.5, '0', undefined]) expect(() => opened.layer(l as number)).toThrow(/integer from 0 to 1/);
  expect(encodePosterior(opened as never)).toMatchObject({
    left: { kind: 'InvalidInput', remedy: expect.stringContaining('whole') },
  });
  const sums = await openFactors(readerOf(right(encodeFactors(factors))));
  expect(encodeFactors(sums as never)).toMatchObject({
    left: { kind: 'InvalidInput', remedy: expect.stringContaining('whole') },
  });
});
