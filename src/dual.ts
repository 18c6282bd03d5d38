/**
 * Functions that take their data first or last. Both calls give the same result:
 *
 *   withPrior(posterior, prior)              the data first
 *   pipe(posterior, withPrior(prior))        the data last, for `pipe` and `E.chain`
 *
 * fp-ts has a function like this, but keeps it internal. Its own functions list the overload without data first, and so do ours:
 * a compiler that infers from an overloaded function takes the last overload, which is the whole function.
 */

/** Tells from the arguments of a call whether the data are among them. */
export type HasData = (args: ReadonlyArray<unknown>) => boolean;

/** The data are there if there are this many arguments. For functions without optional arguments. */
export const ifArguments =
  (count: number): HasData =>
  (args) =>
    args.length >= count;

/**
 * For functions with optional arguments, none of which has a tag. The data are there if the first argument has a tag, even the tag of
 * something else, which the function then refuses; or if there are more than `most` arguments, which is their number without the data.
 */
export const ifTagged =
  (most: number): HasData =>
  (args) => {
    const [first] = args;
    return args.length > most || (typeof first === 'object' && first !== null && '_tag' in first);
  };

/**
 * Calls `curried` as the arguments ask for it.
 *
 * @param curried takes the arguments after the data, checks them, and returns the function of the data. So a wrong option throws at
 *   the call in both forms.
 */
export function dual<D, A extends ReadonlyArray<unknown>, R>(
  args: ReadonlyArray<unknown>,
  hasData: HasData,
  curried: (...rest: A) => (data: D) => R,
): R | ((data: D) => R) {
  if (!hasData(args)) return curried(...(args as unknown as A));
  const [data, ...rest] = args;
  return curried(...(rest as unknown as A))(data as D);
}
