/** What a pass does with a batch that holds numbers that are not finite, and the count of the batches that it skips. */
import { func, literals, optional } from '../codec/index.js';
import { type ErrorParts, type LaplaceError, laplaceError } from '../errors.js';

/** A batch that was skipped, and how many there are by now. */
export interface Skipped {
  /** The `NotFinite` error that would have ended the pass. It names the batch, and the field or layer. */
  readonly error: LaplaceError;
  /** The number of batches that were skipped so far, this one included. */
  readonly batches: number;
  /** The number of examples in them. */
  readonly examples: number;
}

/** What to do with batches that are not finite. */
export interface NotFiniteOptions {
  /**
   * What happens to a batch with NaN or infinity in its inputs, its labels, or what the network makes of them. Default `'stop'`: the
   * stream fails. `'skip'` leaves the batch out. Its examples do not count, so that N is the number of those that were summed.
   */
  readonly onNotFinite?: 'stop' | 'skip' | undefined;
  /** Only for `'skip'`: called for every batch that is skipped. Progress events say how many there are, too. */
  readonly onSkipped?: ((skipped: Skipped) => void) | undefined;
}

/** The fields of these options. */
export const NOT_FINITE = {
  onNotFinite: optional(literals('stop', 'skip')),
  onSkipped: optional(func<(skipped: Skipped) => void>('a function (skipped) => void')),
};

/** The batches that one pass skipped. */
export interface Skips {
  /** Counts a batch of so many examples. */
  readonly add: (error: LaplaceError, examples: number) => void;
  /** The number of batches that were counted. */
  readonly batches: () => number;
  /** The detail of progress events: its own words, and the number of skipped batches if there are any. */
  readonly detail: (words: string | undefined) => string | undefined;
  /** Throws `NotFinite` if nothing is left of the pass. */
  readonly check: (sum: { readonly count: number }) => void;
}

/** An empty count, or undefined if the first such batch ends the pass. */
export function skipsOf({ onNotFinite, onSkipped }: NotFiniteOptions): Skips | undefined {
  if (onNotFinite !== 'skip') return undefined;
  let first: LaplaceError | undefined;
  let [batches, examples] = [0, 0];
  const numbers = (): string => `${batches} ${batches === 1 ? 'batch' : 'batches'} of ${examples} examples`;
  return {
    add: (error, size) => {
      first ??= error;
      batches += 1;
      examples += size;
      onSkipped?.({ error, batches, examples });
    },
    batches: () => batches,
    detail: (words) =>
      batches === 0 ? words : [...(words === undefined ? [] : [words]), `skipped ${numbers()}: not finite`].join('; '),
    check: ({ count }) => {
      if (count === 0 && first !== undefined) throw laplaceError('NotFinite', nothingLeft(numbers(), first));
    },
  };
}

const nothingLeft = (skipped: string, first: LaplaceError): ErrorParts => ({
  what: 'No example is left without the batches that are not finite',
  ...(first.layer !== undefined && { layer: first.layer }),
  ...(first.field !== undefined && { field: first.field }),
  found: `${skipped} that were skipped`,
  expected: 'at least one batch of finite numbers',
  remedy: `The first of them: ${first.message}`,
  cause: first,
});
