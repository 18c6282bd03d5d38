/** Factors of any number of files, added up in order, a layer at a time. */
import { either as E } from 'fp-ts';
import { argument, array, func, hasFields, optional, refined } from '../codec/index.js';
import { merge } from '../curvature/factors.js';
import { partsOf } from '../curvature/structure/index.js';
import { isLaplaceError, type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix, OnProgress } from '../types.js';
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
 * and one of a file are in memory at a time, and one file is open.
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
  const layerOf = ({ name, open }: FactorsSource, i: number, l: number): Promise<FactorsLayer> =>
    open(async (reader) => {
      const file: FactorsFile = await openFactorsFile(reader, { ...own, verify: false });
      if (file.hash !== hashes[i]) throw changed(name);
      return file.layer(l);
    }).catch(failing(name));
  return {
    facts,
    outlines,
    layer: async (l) => {
      let layer: FactorsLayer | undefined;
      for (const [i, file] of files.entries()) {
        const next = await layerOf(file, i, l);
        if (layer === undefined) layer = next;
        else addLayer(layer, next);
        report(1, facts.layout.layers[l]?.name ?? '');
      }
      return layer as FactorsLayer;
    },
  };
}

/** The facts of a sum, by `merge` itself. */
const bothFacts = (a: FactorsFacts, b: FactorsFacts): E.Either<LaplaceError, FactorsFacts> =>
  E.map(factsOf)(merge(assembled(a, []), assembled(b, [])));

/** Adds a layer to another one, in its place: both were just read, and nobody else has them. */
function addLayer(sum: FactorsLayer, next: FactorsLayer): void {
  const [into, from] = [partsOf(sum), partsOf(next)];
  for (const [part, matrix] of Object.entries(into)) addTo(matrix, from[part] as Matrix);
  sum.shares?.forEach((share, c) => addTo(share, next.shares?.[c] as Matrix));
}

function addTo({ data: into }: Matrix, { data: from }: Matrix): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number);
}

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
