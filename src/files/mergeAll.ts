/** Factors of any number of files, added up in order, a layer at a time. */
import { either as E } from 'fp-ts';
import { argument, array, func, hasFields, optional, refined } from '../codec/index.js';
import { merge } from '../curvature/factors.js';
import { isLaplaceError, type LaplaceError, laplaceError } from '../errors.js';
import type { OnProgress } from '../types.js';
import { arraysIn, nameIn } from './arrays.js';
import { sealedLast } from './container.js';
import { type FactorsFacts, type FactorsLayer, factsOf, manifestFrom, matricesOf } from './factors.js';
import { assembled, type FactorsFile, openFactorsFile } from './factorsOfFile.js';
import type { DecodeFactorsOptions } from './options.js';
import type { PlacedPieces } from './pieces.js';
import type { ByteReader } from './reader.js';
import { inOrder, type NamedArray } from './safetensors.js';

/** A file of factors that can be opened again and again. */
export interface FactorsSource {
  /** What errors call it. */
  readonly name: string;
  /** Opens it for as long as some work takes. */
  readonly open: <A>(work: (reader: ByteReader) => Promise<A>) => Promise<A>;
}

/** Options of `mergeAll`. */
export interface MergeAllOptions extends DecodeFactorsOptions {
  /** Receives an event after each layer of each file: once when it is checked, and once when it is added. */
  readonly onProgress?: OnProgress | undefined;
}

/** Factors whose layers are made one at a time, when they are asked for. */
export interface LayeredFactors {
  readonly facts: FactorsFacts;
  /** The layers without their numbers. */
  readonly outlines: ReadonlyArray<FactorsLayer>;
  readonly layer: (l: number) => Promise<FactorsLayer>;
}

const Sources = array(
  'a list of files { name, open }',
  refined('a file { name, open }', (value): value is FactorsSource => hasFields('name', 'open')(value)),
);

/**
 * Adds up files in the order in which they are given: the sum that `merge` makes of them one after another, bit for bit. One layer of the sum
 * and a piece of a file are in memory at a time, and one file is open.
 *
 * Each file is first read from end to end and checked against its hash. What the files say of themselves is added up then, so that a file that
 * does not belong is found before the work. The layers are read when they are asked for.
 *
 * Rejects with `InvalidFile` for a damaged file; with `Mismatch` for one of another layout or other weights, for one with examples that are
 * counted already, and for one that has changed meanwhile. The errors name the file and the field. Rejects with what `open` rejects with.
 */
export async function mergeAll(sources: ReadonlyArray<FactorsSource>, options: MergeAllOptions = {}): Promise<LayeredFactors> {
  const { onProgress = () => {}, ...own } = options;
  argument('mergeAll', 'onProgress', optional(func('a function')), options.onProgress);
  const files = argument('mergeAll', 'sources', Sources, sources);
  let [done, total] = [0, 0];
  const report = (layers: number, detail: string): void => {
    done += layers;
    onProgress({ phase: 'observe', done, total, unit: 'layers', detail });
  };

  let sum: { readonly facts: FactorsFacts; readonly outlines: ReadonlyArray<FactorsLayer> } | undefined;
  const hashes: string[] = [];
  for (const { name, open } of files) {
    const next = await open((reader) => openFactorsFile(reader, own)).catch(failing(name));
    const facts = sum === undefined ? E.right(next.facts) : bothFacts(sum.facts, next.facts);
    if (E.isLeft(facts)) throw named(name, facts.left);
    sum = { facts: facts.right, outlines: sum?.outlines ?? next.outlines };
    hashes.push(next.hash);
    total = 2 * files.length * sum.outlines.length;
    report(next.outlines.length, name);
  }
  const { facts, outlines } = sum as NonNullable<typeof sum>;
  const within = <A>(i: number, work: (file: FactorsFile) => Promise<A>): Promise<A> => {
    const { name, open } = files[i] as FactorsSource;
    return open(async (reader) => {
      const file = await openFactorsFile(reader, { ...own, verify: false });
      if (file.hash !== hashes[i]) throw changed(name);
      return work(file);
    }).catch(failing(name));
  };
  return {
    facts,
    outlines,
    layer: async (l) => {
      const told = (): void => report(1, facts.layout.layers[l]?.name ?? '');
      // It was just read, and nobody else has it: the others are added in its place.
      const layer = await within(0, (file) => file.layer(l));
      told();
      const sums = numbersOf(layer, l);
      for (let i = 1; i < files.length; i++) {
        await within(i, (file) => file.addTo(sums));
        told();
      }
      return layer;
    },
  };
}

/** The facts of a sum, by `merge` itself. */
const bothFacts = (a: FactorsFacts, b: FactorsFacts): E.Either<LaplaceError, FactorsFacts> =>
  E.map(factsOf)(merge(assembled(a, []), assembled(b, [])));

/** The numbers of a layer that are sums, by the names of their arrays in a file. */
const numbersOf = (layer: FactorsLayer, l: number): ReadonlyMap<string, Float64Array> =>
  new Map(matricesOf(layer, 'apart').map(([name, { data }]) => [nameIn(l, name), data]));

/**
 * The bytes that `encodeFactors` gives, of factors whose layers come one at a time. Going through the pieces fails with the errors of the
 * layers, and with `NotFinite` for a number that is not finite.
 */
export function piecesOfFile({ facts, outlines, layer }: LayeredFactors): PlacedPieces {
  const shapes = outlines.flatMap((outline, l) =>
    matricesOf(outline, 'inside').map(([name, { rows, cols }]) => ({ name: nameIn(l, name), shape: [rows, cols] })),
  );
  // Layer 10 lies before layer 2: names are sorted as text.
  const order = inOrder(outlines.map((_, l) => ({ name: nameIn(l, ''), shape: [], l })));
  async function* arrays(): AsyncGenerator<NamedArray> {
    for (const { l } of order) yield* inOrder(arraysIn(l, matricesOf(await layer(l), 'inside'), 'F64'));
  }
  return sealedLast('factors', manifestFrom(facts, 'inside', facts.layout.estimator._tag === 'ekfac'), shapes, arrays);
}

const failing =
  (name: string) =>
  (error: unknown): never => {
    throw named(name, error);
  };

/** An error of a file, with the name of the file. */
function named<A>(name: string, error: A): A | LaplaceError {
  if (!isLaplaceError(error) || (error.kind !== 'InvalidFile' && error.kind !== 'Mismatch')) return error;
  const { kind, field, message } = error;
  const what = `${name} cannot be added. ${message.replace(/\.$/, '')}`;
  return laplaceError(kind, { what, ...(field !== undefined && { field }), cause: error });
}

const changed = (name: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'The file has changed since it was checked',
    field: 'sources',
    found: 'another hash',
    expected: `${name} as it was`,
    remedy: 'Merge files that nobody writes.',
  });
