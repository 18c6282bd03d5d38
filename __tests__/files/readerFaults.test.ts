/**
 * The same damaged and made-up files as in `faults.test.ts`, behind a reader: the verdict is that of the pure functions, word for word,
 * whether the file is checked when it is opened or when it is read whole.
 */
import { either as E } from 'fp-ts';
import {
  type ByteReader,
  decodeFactors,
  decodePosterior,
  encodeFactors,
  encodePosterior,
  isLaplaceError,
  type LaplaceError,
  type Layered,
  openFactors,
  openPosterior,
} from 'tfjs-laplace';
import { partsOf, placesIn, replaced, resealed } from '../support/fileParts.js';
import { KEPT, keptOf, ownLikelihood } from '../support/kept.js';
import { MADE_UP } from '../support/madeUpFiles.js';
import { right } from '../support/math/laplace.js';
import { readerOf } from '../support/readers.js';

type Verdict = E.Either<LaplaceError, unknown>;
type KindOfFile = 'posterior' | 'factors';
const likelihoods = [ownLikelihood];
const DECODE: Readonly<Record<KindOfFile, (bytes: Uint8Array) => Verdict>> = {
  posterior: (bytes) => decodePosterior(bytes, { likelihoods }),
  factors: (bytes) => decodeFactors(bytes, { likelihoods }),
};
const OPEN: Readonly<Record<KindOfFile, (file: ByteReader, verify: boolean) => Promise<Layered<unknown, unknown>>>> = {
  posterior: (file, verify) => openPosterior(file, { likelihoods, verify }),
  factors: (file, verify) => openFactors(file, { likelihoods, verify }),
};

/** What a promise comes to. Whatever is no error of the library is thrown on. */
const verdictOf = (promise: Promise<unknown>): Promise<Verdict> =>
  promise.then(E.right, (error: unknown) => {
    if (isLaplaceError(error)) return E.left(error);
    throw error;
  });
const opened = (kind: KindOfFile, bytes: Uint8Array): Promise<Verdict> => verdictOf(OPEN[kind](readerOf(bytes), true));
const whole = (kind: KindOfFile, bytes: Uint8Array): Promise<Verdict> =>
  verdictOf(OPEN[kind](readerOf(bytes), false).then((file) => file.whole()));
const wordsOf = (found: Verdict): string | undefined =>
  E.isLeft(found) ? `${found.left.kind}: ${found.left.message}` : undefined;

const files = new Map<string, Readonly<Record<KindOfFile, Uint8Array>>>();
beforeAll(async () => {
  for (const name of Object.keys(KEPT)) {
    const { posterior, factors } = await keptOf(name);
    files.set(name, { posterior: right(encodePosterior(posterior)), factors: right(encodeFactors(factors)) });
  }
});
const fileNamed = (name: string, kind: KindOfFile): Uint8Array => Uint8Array.from(files.get(name)?.[kind] as Uint8Array);

describe.each(Object.keys(KEPT))('%s', (name) => {
  it.each(['posterior', 'factors'] as const)('%s: is refused wherever it is cut off', async (kind) => {
    const bytes = fileNamed(name, kind);
    const wrong: number[] = [];
    for (const end of bytes.keys()) {
      const cut = bytes.subarray(0, end);
      const words = wordsOf(DECODE[kind](cut));
      if (words === undefined || wordsOf(await opened(kind, cut)) !== words) wrong.push(end);
    }
    expect(wrong).toEqual([]);
  });

  it.each(['posterior', 'factors'] as const)('%s: is refused whichever byte is another', async (kind) => {
    const bytes = fileNamed(name, kind);
    const wrong: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const was = bytes[at] as number;
      bytes[at] = was ^ (1 << (at % 8));
      const words = wordsOf(DECODE[kind](bytes));
      if (words === undefined || wordsOf(await opened(kind, bytes)) !== words) wrong.push(at);
      if (wordsOf(await whole(kind, bytes)) !== words) wrong.push(at);
      bytes[at] = was;
    }
    expect(wrong).toEqual([]);
    expect(wordsOf(await opened(kind, bytes))).toBeUndefined();
    expect(wordsOf(await whole(kind, bytes))).toBeUndefined();
  });

  it.each(['posterior', 'factors'] as const)('%s: is refused or whole, whatever stands in its manifest', async (kind) => {
    const { manifest, matrices } = partsOf(kind, fileNamed(name, kind));
    for (const place of placesIn(manifest).filter(({ length }) => length > 0)) {
      for (const by of [undefined, null, -1, 0.5, 3, '', [], {}]) {
        const bytes = resealed(kind, replaced(manifest, place, by) as object, matrices);
        const words = wordsOf(DECODE[kind](bytes));
        expect([place, by, wordsOf(await whole(kind, bytes))]).toEqual([place, by, words]);
        // What only the numbers tell is told when they are read.
        const early = wordsOf(await opened(kind, bytes));
        if (early !== undefined || !words?.includes('a number')) expect([place, by, early]).toEqual([place, by, words]);
      }
    }
  });

  it.each(['posterior', 'factors'] as const)('%s: has each of its arrays, and no other', async (kind) => {
    const { manifest, matrices } = partsOf(kind, fileNamed(name, kind));
    for (const [key, { rows, cols, data }] of matrices) {
      const without = new Map([...matrices].filter(([other]) => other !== key));
      const nothing = new Map(matrices).set(key, { rows: 0, cols, data: new Float64Array(0) });
      const more = new Map(matrices).set(`${key}.more`, { rows, cols, data });
      const beyond = new Map(matrices).set(`layers.99.${key}`, { rows, cols, data });
      for (const changed of [without, nothing, more, beyond]) {
        const bytes = resealed(kind, manifest, changed);
        const words = wordsOf(DECODE[kind](bytes));
        expect([key, wordsOf(await opened(kind, bytes)), wordsOf(await whole(kind, bytes))]).toEqual([key, words, words]);
        if (changed === more || changed === beyond) expect(words).toMatch(/which its manifest does not name/);
      }
      if (!/Values|curvature|diagonal$/.test(key) || kind === 'factors') continue;
      const negative = resealed(kind, manifest, new Map(matrices).set(key, { rows, cols, data: data.map(() => -1) }));
      const file = await OPEN[kind](readerOf(negative), true);
      const l = Number(key.split('.')[1]);
      const found = await verdictOf(file.layer(l));
      expect(found).toMatchObject({ left: { kind: 'InvalidFile', message: expect.stringContaining('below 0') } });
      expect(wordsOf(await verdictOf(file.whole()))).toBe(wordsOf(found));
    }
  });
});

it.each(MADE_UP)('refuses %s', async (_, bytes) => {
  for (const kind of ['posterior', 'factors'] as const) {
    const words = wordsOf(DECODE[kind](bytes));
    expect([wordsOf(await opened(kind, bytes)), wordsOf(await whole(kind, bytes))]).toEqual([words, words]);
  }
});

it('tells a file of factors from one of a posterior, and a file that is longer than its header says', async () => {
  const name = 'kronecker';
  for (const [kind, bytes] of [
    ['posterior', fileNamed(name, 'factors')],
    ['factors', fileNamed(name, 'posterior')],
    ['posterior', Uint8Array.of(...fileNamed(name, 'posterior'), 0)],
  ] as const) {
    const words = wordsOf(DECODE[kind](bytes));
    expect(words).toMatch(/^InvalidFile/);
    expect([wordsOf(await opened(kind, bytes)), wordsOf(await whole(kind, bytes))]).toEqual([words, words]);
  }
});
