/** A value that is read from its file: all at once, or a layer at a time. */
import { argument, refined } from '../codec/index.js';
import { type ArraysOfFile, arraysOf, nameIn } from './arrays.js';
import { type ByteReader, sourceOf } from './reader.js';
import type { Entry, Place } from './safetensors.js';
import type { FileKind } from './versions.js';

/** What a manifest says, and how arrays become layers, and layers the value. */
export interface Plan<Facts extends object, Layer, Value> {
  readonly facts: Facts;
  /** The number of layers. */
  readonly count: number;
  /** Takes the arrays of layer number l. Throws `InvalidFile`. */
  readonly layer: (l: number, arrays: ArraysOfFile) => Layer;
  readonly whole: (layers: ReadonlyArray<Layer>) => Value;
}

/** What can be read of a file that is open. */
export interface Layered<Layer, Value> {
  /**
   * Layer number l, read from the file anew at each call: nothing is kept. Rejects with `InvalidFile` for numbers that cannot be, and with
   * what the reader rejects with. The hash of the file covers all layers together, so one layer is not checked against it.
   *
   * @throws LaplaceError `InvalidOption` for a number that no layer has
   */
  readonly layer: (l: number) => Promise<Layer>;
  /** The whole value. Its bytes are checked against the hash of the file, whatever was checked before. */
  readonly whole: () => Promise<Value>;
}

/** A file that is open, and its layers without numbers: matrices that have their shapes and no data. */
export interface OpenFile<Facts, Layer, Value> extends Layered<Layer, Value> {
  readonly facts: Facts;
  /** The SHA-256 of the file, as its header says it. */
  readonly hash: string;
  readonly outlines: ReadonlyArray<Layer>;
  /** Adds arrays of the file to numbers of the same size, by the names of the arrays. No more than a piece of the file is in memory. */
  readonly addTo: (sums: ReadonlyMap<string, Float64Array>) => Promise<void>;
}

const layersFrom = <Layer>({ count, layer }: Plan<object, Layer, unknown>, entries: ReadonlyMap<string, Entry>) => {
  const arrays = arraysOf(entries);
  const layers = Array.from({ length: count }, (_, l) => layer(l, arrays));
  arrays.end();
  return layers;
};

/** The value of a file whose arrays are at hand. Throws `InvalidFile` for arrays that are not those of the manifest. */
export const wholeFrom = <Layer, Value>(plan: Plan<object, Layer, Value>, entries: ReadonlyMap<string, Entry>): Value =>
  plan.whole(layersFrom(plan, entries));

const withoutNumbers = ({ name, dtype, shape }: Place): readonly [string, Entry] => [
  name,
  { dtype, shape, read: () => new Float64Array(0) },
];

/**
 * Opens a file. Header, manifest, and the names and shapes of all arrays are checked; with `verify` all bytes are too.
 *
 * @param planOf takes the manifest; throws for one that cannot be
 */
export async function openFile<Facts extends object, Layer, Value>(
  kind: FileKind,
  reader: ByteReader,
  verify: boolean,
  planOf: (manifest: unknown) => Plan<Facts, Layer, Value>,
): Promise<OpenFile<Facts, Layer, Value>> {
  const source = await sourceOf(kind, reader);
  if (verify) await source.verify();
  const found = () => {
    const plan = planOf(source.manifest());
    return { plan, outlines: layersFrom(plan, new Map(source.places.map(withoutNumbers))) };
  };
  const { plan, outlines } = await Promise.resolve()
    .then(found)
    .catch(async (error: unknown) => {
      // What cannot be may be damage, and is called that.
      if (!verify) await source.verify();
      throw error;
    });
  const layer = async (l: number): Promise<Layer> => {
    const own = source.places.filter(({ name }) => name.startsWith(nameIn(l, '')));
    return plan.layer(l, arraysOf(await source.entries(own)));
  };
  return {
    facts: plan.facts,
    hash: source.hash,
    outlines,
    addTo: source.addTo,
    layer: (l) => layer(layerNumber(l, plan.count)),
    whole: async () => wholeFrom(plan, await source.verified()),
  };
}

/** A number that a layer has. Throws `InvalidOption` for another one. */
const layerNumber = (l: number, count: number): number =>
  argument(
    'layer',
    'l',
    refined(
      `the number of a layer: an integer from 0 to ${count - 1}`,
      (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < count,
    ),
    l,
  );
