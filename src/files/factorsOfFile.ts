/** Factors of files: of all their bytes, or of a reader. */
import type { either as E } from 'fp-ts';
import {
  anything,
  argument,
  array,
  boolean,
  finite,
  nonNegative,
  optional,
  optionsOf,
  positiveInteger,
  seed,
  struct,
  text,
} from '../codec/index.js';
import type { Factors } from '../curvature/factors.js';
import type { LayerLayout, Layout, Rotation } from '../curvature/layout.js';
import { PartsCodec } from '../curvature/parts.js';
import { gradientShape, structured, sumsOf } from '../curvature/structure/index.js';
import type { LaplaceError } from '../errors.js';
import { attempted, orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { type ArraysOfFile, nameIn, shareName } from './arrays.js';
import { type CommonLayer, commonWith } from './common.js';
import { damaged, opened } from './container.js';
import { type FactorsFacts, type FactorsLayer, rotationName } from './factors.js';
import { type OpenFile, openFile, type Plan, wholeFrom } from './layers.js';
import { checkWhole, decoded, estimatorFrom, LAYER_FIELDS, likelihoodFrom } from './manifest.js';
import {
  BytesCodec,
  bytesOf,
  type DecodeFactorsOptions,
  DecodeFactorsOptionsCodec,
  type OpenFactorsOptions,
  OpenFactorsOptionsCodec,
} from './options.js';
import { type ByteReader, ReaderCodec } from './reader.js';

const LayoutCodec = struct('a layout', {
  estimator: anything,
  likelihood: anything,
  layers: array(
    'a list of layers',
    struct('a layer', {
      ...LAYER_FIELDS,
      positions: optional(positiveInteger),
      sketch: optional(struct('a sketch', { rank: positiveInteger, columns: positiveInteger, seed })),
    }),
  ),
  covered: array('names of layers', text),
  outputs: positiveInteger,
  architecture: optional(text),
  shares: optional(positiveInteger),
  basis: optional(text),
});

/** Everything in factors that is no array. */
const Manifest = struct('the manifest of factors', {
  layout: LayoutCodec,
  fingerprint: text,
  count: nonNegative,
  datasetSize: nonNegative,
  logLikelihood: finite,
  rows: nonNegative,
  batches: optional(positiveInteger),
  parts: optional(PartsCodec),
  squares: optional(array('a list of numbers >= 0', nonNegative)),
  isRotated: boolean,
  /** Set if weights and rotations are left out. */
  isApart: optional(boolean),
});

/**
 * The factors of a file's bytes. Whatever the bytes are, nothing is thrown for them.
 *
 * @returns the factors, or `InvalidFile` for bytes that are no file of factors, that are damaged, or that a newer version of the library
 *   wrote; `Mismatch` for a likelihood of your own that is not among `likelihoods`, and for a file without weights if `like` is missing, was
 *   taken at other weights, or has another layout or basis.
 * @throws LaplaceError `InvalidOption` for an unknown option, or for a value that is no bytes
 */
export function decodeFactors(
  bytes: Uint8Array | ArrayBuffer,
  options: DecodeFactorsOptions = {},
): E.Either<LaplaceError, Factors> {
  const own = optionsOf('decodeFactors', DecodeFactorsOptionsCodec, options);
  const given = bytesOf(argument('decodeFactors', 'bytes', BytesCodec, bytes));
  return attempted(() => {
    const { manifest, entries } = orThrow(opened('factors', given));
    return wholeFrom(planOf(manifest, own), entries);
  });
}

/** A file of factors that is open. */
export type FactorsFile = OpenFile<FactorsFacts, FactorsLayer, Factors>;

/** Opens a file of factors, as `openFactors` does. */
export function openFactorsFile(reader: ByteReader, options: OpenFactorsOptions = {}): Promise<FactorsFile> {
  const { verify, ...own } = optionsOf('openFactors', OpenFactorsOptionsCodec, options);
  const given = argument('openFactors', 'reader', ReaderCodec, reader);
  return openFile('factors', given, verify, (manifest) => planOf(manifest, own));
}

function planOf(manifest: unknown, { likelihoods = [], like }: DecodeFactorsOptions): Plan<FactorsFacts, FactorsLayer, Factors> {
  const { layout: data, isRotated, isApart = false, ...rest } = decoded(Manifest, manifest, 'factors');
  const layout: Layout = {
    ...data,
    likelihood: likelihoodFrom(data.likelihood, likelihoods),
    estimator: estimatorFrom(data.estimator),
  };
  checkFacts({ ...rest, layout }, isRotated);
  const common = isApart ? commonApart(like, layout, rest.fingerprint) : commonFrom(layout, isRotated);
  const facts: FactorsFacts = { ...rest, layout };
  return {
    facts,
    count: layout.layers.length,
    layer: (l, arrays) => {
      const layer = layout.layers[l] as LayerLayout;
      return {
        ...structured(layer.structure, sumsFrom(layer, l, arrays)),
        ...(rest.squares && { shares: rest.squares.map((_, c) => arrays.take(nameIn(l, shareName(c)), gradientShape(layer))) }),
        ...common(l, arrays),
      };
    },
    whole: (layers) => assembled(facts, layers),
  };
}

/** Throws `InvalidFile` if what a manifest says does not belong together. */
function checkFacts({ layout, count, datasetSize, squares }: FactorsFacts, isRotated: boolean): void {
  const names = layout.layers.map(({ name }) => name);
  if (!layout.covered.every((name) => names.includes(name))) throw damaged('covered layers that are not among the layers');
  if (new Set(layout.covered).size < layout.covered.length) throw damaged('a covered layer that is named twice');
  if (isRotated !== (layout.estimator._tag === 'ekfac'))
    throw damaged(`${isRotated ? '' : 'no '}rotations for ${layout.estimator._tag}`);
  if (count > 0 && !(datasetSize > 0)) throw damaged(`${count} counted examples of a data set of ${datasetSize}`);
  if (squares?.length !== layout.shares) throw damaged(`${squares?.length ?? 0} squared errors for ${layout.shares ?? 0} shares`);
  checkWhole({ ...layout, shares: layout.shares });
}

/** Factors of their layers. */
export function assembled({ squares, ...facts }: FactorsFacts, layers: ReadonlyArray<FactorsLayer>): Factors {
  return {
    _tag: 'Factors',
    ...facts,
    layers: layers.map(({ structure, parts }) => structured(structure, parts)),
    weights: layers.map(({ weights }) => weights),
    ...(squares && {
      shares: squares.map((sum, c) => ({ squares: sum, layers: layers.map(({ shares }) => shares?.[c] as Matrix) })),
    }),
    ...(facts.layout.estimator._tag === 'ekfac' && { rotations: layers.map(({ rotation }) => rotation as Rotation) }),
  };
}

/** What all parts of a pass have in common of layer number l. */
type CommonOf = (l: number, arrays: ArraysOfFile) => CommonLayer;

function commonApart(like: DecodeFactorsOptions['like'], layout: Layout, fingerprint: string): CommonOf {
  const layers = commonWith(like, layout, fingerprint);
  return (l) => layers[l] as CommonLayer;
}

const commonFrom =
  ({ layers }: Layout, isRotated: boolean): CommonOf =>
  (l, arrays) => {
    const layer = layers[l] as LayerLayout;
    const { groups, n, m } = layer;
    return {
      weights: arrays.take(nameIn(l, 'weights'), { rows: groups * n, cols: m }),
      ...(isRotated && { rotation: rotationFrom(layer, l, arrays) }),
    };
  };

const sumsFrom = (layer: LayerLayout, l: number, arrays: ArraysOfFile): Readonly<Record<string, Matrix>> =>
  Object.fromEntries(Object.entries(sumsOf(layer)).map(([part, shape]) => [part, arrays.take(nameIn(l, part), shape)]));

function rotationFrom({ groups, n, m }: LayerLayout, l: number, arrays: ArraysOfFile): Rotation {
  const side = (name: 'input' | 'gradient', d: number): Rotation =>
    arrays.has(nameIn(l, rotationName(name)))
      ? { [name]: arrays.take(nameIn(l, rotationName(name)), { rows: groups * d, cols: d }) }
      : {};
  return { ...side('input', n), ...side('gradient', m) };
}
