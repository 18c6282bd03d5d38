/**
 * Factors in a file, read back and added to those of another file a layer at a time. Writes what it has found to the standard output, as
 * JSON. Its arguments are a folder, and the rows of each matrix.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { categorical, type Factors, type FactorsLayer, type Matrix, openFactors } from 'tfjs-laplace';
import { loadFactors, mergeFactorsFiles, saveFactors } from 'tfjs-laplace/plugins/storage';
import { withFile } from '../../../plugins/storage/readFile.js';

const folder = process.argv[2] as string;
const SIDE = Number(process.argv[3]);
const LAYERS = 3;
const at = (name: string): string => join(folder, `${name}.safetensors`);

/** All matrices are parts of one long list of numbers. Each begins at another place, so that no two are equal. */
const numbers = new Float64Array(SIDE * SIDE + 9 * LAYERS);
for (let i = 0; i < numbers.length; i++) numbers[i] = (i * 0x9e3779b1) % 2 ** 32;
const square = (place: number): Matrix => ({ rows: SIDE, cols: SIDE, data: numbers.subarray(place, place + SIDE * SIDE) });
const PARTS = ['input', 'gradient', 'weights'] as const;
/** The place of each matrix of layer l. */
const placesOf = (l: number) => PARTS.map((part, p) => [part, 3 * l + p] as const);
const partsOf = (l: number) => Object.fromEntries(placesOf(l).map(([part, place]) => [part, square(place)]));

const layers = Array.from({ length: LAYERS }, (_, l) => l);
const factors: Factors = {
  _tag: 'Factors',
  layout: {
    estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
    likelihood: categorical(),
    layers: layers.map((l) => ({
      name: `layer ${l}`,
      structure: 'kronecker',
      members: [`layer ${l}`],
      groups: 1,
      n: SIDE,
      m: SIDE,
      bias: false,
    })),
    covered: layers.map((l) => `layer ${l}`),
    outputs: SIDE,
  },
  fingerprint: 'f00d',
  weights: layers.map((l) => partsOf(l).weights as Matrix),
  count: 1,
  datasetSize: 1,
  logLikelihood: -1,
  rows: 1,
  layers: layers.map((l) => ({
    structure: 'kronecker',
    parts: { input: partsOf(l).input as Matrix, gradient: partsOf(l).gradient as Matrix },
  })),
};

/** The places of the first numbers that are not `times` those of the list. */
function wrongIn({ weights, parts }: FactorsLayer, l: number, times: number): ReadonlyArray<string> {
  const own = { ...parts, weights } as Readonly<Record<string, Matrix>>;
  return placesOf(l).flatMap(([part, place]) => {
    const factor = part === 'weights' ? 1 : times;
    const data = own[part]?.data as Float64Array;
    const first = data.findIndex((value, i) => value !== factor * (numbers[place + i] as number));
    return data.length === SIDE * SIDE && first === -1 ? [] : [`${part} of layer ${l} at ${first}`];
  });
}

/** Which numbers of a file are wrong, read a layer at a time. */
const wrongAt = (file: string, times: number): Promise<ReadonlyArray<string>> =>
  withFile(file, async (reader) => {
    const opened = await openFactors(reader);
    const wrong: string[] = [];
    for (const l of layers) wrong.push(...wrongIn(await opened.layer(l), l, times));
    return wrong;
  });

const seconds: Record<string, number> = {};
async function timed<A>(what: string, work: () => Promise<A>): Promise<A> {
  const start = performance.now();
  const found = await work();
  seconds[what] = Math.round((performance.now() - start) / 100) / 10;
  return found;
}
/** The most memory that the process has had, in MiB. */
const peak = (): number => Math.round(process.resourceUsage().maxRSS / 1024);

const { bytes } = await timed('save', () =>
  saveFactors({ ...factors, parts: [{ dataset: 'a', first: 0, end: 1 }] }, `file://${at('a')}`),
);
const saving = peak();
const wrong = [...(await timed('read', () => wrongAt(at('a'), 1)))];
await saveFactors({ ...factors, parts: [{ dataset: 'b', first: 0, end: 1 }] }, `file://${at('b')}`);
const sum = await timed('merge', () => mergeFactorsFiles([`file://${at('a')}`, `file://${at('b')}`], `file://${at('sum')}`));
wrong.push(...(await wrongAt(at('sum'), 2)));
const layered = peak();
// The value itself, all at once, where there is room for it.
const whole = await timed('load', () => loadFactors(`file://${at('sum')}`));
for (const l of layers)
  wrong.push(...wrongIn({ ...(whole.layers[l] as FactorsLayer), weights: whole.weights[l] as Matrix }, l, 2));
console.log(
  JSON.stringify({ bytes, size: statSync(at('a')).size, sum, wrong, seconds, peaks: { saving, layered, whole: peak() } }),
);
