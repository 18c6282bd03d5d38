/** Remembers the batches that a pass has skipped, for the warnings of its report. */
import type { Skipped } from 'tfjs-laplace';

/** What was skipped so far. */
export interface SkippedBatches {
  readonly onSkipped: (skipped: Skipped) => void;
  /** A sentence if anything was skipped. */
  readonly warnings: () => ReadonlyArray<string>;
  /** Forgets everything, for another pass. */
  readonly forget: () => void;
}

export function skippedBatches(): SkippedBatches {
  let first: Skipped | undefined;
  let last: Skipped | undefined;
  return {
    onSkipped: (skipped) => {
      first ??= skipped;
      last = skipped;
    },
    warnings: () =>
      first === undefined || last === undefined
        ? []
        : [
            `Of the training examples ${last.examples} in ${last.batches} ${last.batches === 1 ? 'batch' : 'batches'} were skipped, because they ` +
              `are not finite. The first: ${first.error.message}`,
          ],
    forget: () => {
      first = undefined;
      last = undefined;
    },
  };
}
