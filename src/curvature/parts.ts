/**
 * Which examples are in a sum: ranges of data sets. Two sums that have an example in common must not be added, since it would count twice.
 * A range belongs to its data set, and not to the run that counted it: whoever counts the same range again, counts the same examples.
 */
import { either as E } from 'fp-ts';
import { anyOf, array, defaulted, isRecord, nonNegativeInteger, positiveInteger, refined, struct, text } from '../codec/index.js';

/** The examples of a data set from number `first` up to number `end`, which is the first one after them. */
export interface Part {
  /** The name of the data set. */
  readonly dataset: string;
  readonly first: number;
  readonly end: number;
}

/** Ranges in the order of their data sets and of their examples. No two of them touch. */
export type Parts = ReadonlyArray<Part>;

/** The examples of one data set that two lists of parts have in common. */
export type Overlap = Part;

/** A part in words: `examples 0 to 99 of "monday"`. */
export const partText = ({ dataset, first, end }: Part): string =>
  end - first === 1
    ? `example ${first} of ${JSON.stringify(dataset)}`
    : `examples ${first} to ${end - 1} of ${JSON.stringify(dataset)}`;

const before = (a: Part, b: Part): number => (a.dataset === b.dataset ? a.first - b.first : a.dataset < b.dataset ? -1 : 1);

/** The parts of two sums that have no example in common; a `Left` of the first examples that both have. */
export function joinParts(a: Parts, b: Parts): E.Either<Overlap, Parts> {
  const sorted = [...a, ...b].sort(before);
  for (const [i, part] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next?.dataset === part.dataset && next.first < part.end) return E.left({ ...next, end: Math.min(next.end, part.end) });
  }
  return E.right(united(sorted));
}

/** The parts that are in one list or in the other. */
export const unionParts = (a: Parts, b: Parts): Parts => united([...a, ...b].sort(before));

/** Sorted ranges, in which those that touch or overlap are one. */
function united(sorted: Parts): Parts {
  const found: Part[] = [];
  for (const part of sorted) {
    const last = found.at(-1);
    if (last?.dataset === part.dataset && part.first <= last.end) {
      found[found.length - 1] = { ...last, end: Math.max(last.end, part.end) };
    } else if (part.end > part.first) found.push(part);
  }
  return found;
}

/** Where a part begins. Where it ends is known when its examples are counted. */
export type PartStart = Pick<Part, 'dataset' | 'first'>;

/** Sums of so many examples from a place on, with their part. Without a place they stay as they are. */
export const withPart = <A extends object>(sums: A, start: PartStart | undefined, examples: number): A =>
  start === undefined || examples === 0
    ? sums
    : { ...sums, parts: [{ dataset: start.dataset, first: start.first, end: start.first + examples }] };

/** Decodes where a part begins. A name alone is that of a whole data set. */
export const PartStartCodec = anyOf(
  text,
  struct('the start of a part { dataset, first }', { dataset: text, first: defaulted(nonNegativeInteger, 0) }),
  isRecord,
);

/** Where a part begins, however it was written. */
export const startOf = (given: string | { readonly dataset: string; readonly first?: number }): PartStart =>
  typeof given === 'string' ? { dataset: given, first: 0 } : { dataset: given.dataset, first: given.first ?? 0 };

/** The number of examples in parts. */
export const examplesIn = (parts: Parts): number => parts.reduce((sum, { first, end }) => sum + end - first, 0);

const PartList = array('a list of parts', struct('a part', { dataset: text, first: nonNegativeInteger, end: positiveInteger }));

const comesAfter = (part: Part, former: Part | undefined): boolean =>
  former === undefined || former.dataset < part.dataset || (former.dataset === part.dataset && former.end < part.first);

/** Decodes a list of parts as it stands in a file. */
export const PartsCodec = refined(
  'sorted parts { dataset, first, end } that do not touch',
  (value): value is Parts =>
    PartList.is(value) && value.every((part, i) => part.first < part.end && comesAfter(part, value[i - 1])),
);
