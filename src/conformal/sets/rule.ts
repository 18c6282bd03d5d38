/**
 * The rule of one score of classes.
 *
 * @param row probabilities [C] of one example
 * @param u the random part of the example, in [0, 1); 0 if the score has none.
 * @returns the scores [C] of all classes: the higher, the less the class fits.
 */
export type ClassScoreRule<S> = (score: S, row: ArrayLike<number>, u: number) => Float64Array;
