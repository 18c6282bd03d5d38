/** What a score of inputs has to say: what it reads, and its values. Every score is higher for inputs that are more unlike the training data. */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Known } from './inputs.js';

export interface ScoreRule<S> {
  /** Whether what the score reads is known. */
  readonly suits: (known: Known) => boolean;
  /** The score of each input, [B]; or `InvalidInput` if what it reads is not known. */
  readonly of: (score: S, known: Known) => E.Either<LaplaceError, Float64Array>;
}

interface Source<A> {
  /** The field of the inputs, as one writes it. */
  readonly field: string;
  readonly read: (known: Known) => A | undefined;
  /** Where the field comes from. */
  readonly remedy: string;
}

/** The rule of a score that reads one source. */
export const rule = <S extends { readonly _tag: string }, A>(
  { field, read, remedy }: Source<A>,
  values: (part: A, score: S) => E.Either<LaplaceError, Float64Array>,
): ScoreRule<S> => ({
  suits: (known) => read(known) !== undefined,
  of: (score, known) => {
    const part = read(known);
    if (part !== undefined) return values(part, score);
    const what = `The score '${score._tag}' reads ${field}`;
    return E.left(laplaceError('InvalidInput', { what, field, found: 'nothing', expected: field, remedy }));
  },
});

/** A field of the predictions. */
export const ofPrediction = <K extends keyof NonNullable<Known['prediction']>>(name: K) => ({
  field: `prediction.${name}`,
  read: ({ prediction }: Known) => prediction?.[name],
  remedy: 'predict(model, posterior) gives it.',
});

/** The mean of the outputs before the link: logits. */
export const LOGITS = {
  field: 'outputs.mean',
  read: ({ outputs }: Known) => outputs?.mean,
  remedy: 'await outputDistribution(model, posterior, x) gives it; for the trained network alone give { mean: logits }.',
};
