/** A table of natural mistakes: each must become a `LaplaceError` of a kind, whose message has certain words. */
import * as tf from '@tensorflow/tfjs';
import type { LaplaceErrorKind } from 'tfjs-laplace';
import { outcomeOf } from './outcome.js';

/** A wrong use, the kind of its error, and the words that its message must have. */
export type Mistake = readonly [call: string, run: () => unknown, kind: LaplaceErrorKind, ...words: ReadonlyArray<string>];

/** What TypeScript would refuse, as plain JavaScript may give it. */
export const wrong = (value: unknown): never => value as never;

/** Tests each row of a table. A mistake leaves no tensor behind. */
export function itSaysWhatToDo(table: ReadonlyArray<Mistake>): void {
  it.each(table.map(([call, run, kind, ...words]) => [call, { run, kind, words }] as const))(
    '%s',
    async (_, { run, kind, words }) => {
      const before = tf.memory().numTensors;
      const outcome = await outcomeOf(run);
      expect(outcome).toMatchObject({ _tag: 'error', error: { _tag: 'LaplaceError', kind } });
      const { message } = (outcome as { error: Error }).error;
      for (const word of words) expect(message).toContain(word);
      expect(tf.memory().numTensors).toBe(before);
    },
  );
}
