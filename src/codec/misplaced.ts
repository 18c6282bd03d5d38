/**
 * Tells the values between two stages (factors, a posterior, a layer) from what is given in their place by mistake. TypeScript tells too,
 * but plain JavaScript does not.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type Codec, refined } from './codec.js';
import { describe } from './words.js';

/** A kind of value that is told apart by its tag or its fields. */
export interface Kind<A> {
  /** The kind in words: 'a posterior'. */
  readonly name: string;
  readonly is: (value: unknown) => value is A;
  /** Values of other kinds that lead to one of this kind, and how. */
  readonly remedies?: ReadonlyArray<Remedy>;
}

interface Remedy {
  readonly is: (value: unknown) => boolean;
  readonly remedy: string;
}

/** Whether a value is an object with all of these fields. */
export const hasFields =
  (...fields: ReadonlyArray<string>) =>
  (value: unknown): boolean =>
    typeof value === 'object' && value !== null && fields.every((field) => field in value);

/** Whether a value is an object with this tag and all of these fields. */
export const tagged =
  <A extends { readonly _tag: string }>(tag: A['_tag'], ...fields: ReadonlyArray<string>) =>
  (value: unknown): value is A =>
    hasFields('_tag', ...fields)(value) && (value as { readonly _tag: unknown })._tag === tag;

/** What wraps a value of any kind. */
const WRAPPERS: ReadonlyArray<Remedy> = [
  { is: tagged('Right'), remedy: 'orThrow(either) is the value of an Either; map and chain work on it inside the Either.' },
  { is: tagged('Left'), remedy: 'It holds an error: look at its field left.' },
  { is: tagged('Some'), remedy: 'Its field value has it.' },
  { is: hasFields('then'), remedy: 'Wait for it: await it first.' },
  { is: hasFields('subscribe'), remedy: 'Wait for its value: await lastValueFrom(stream).' },
  { is: (value) => typeof value === 'function', remedy: 'Call it with its data first.' },
];

/**
 * The value if it is of that kind.
 *
 * @param what the name of the function or option, for the error
 * @returns the value, or `InvalidInput` with what to do.
 */
export function ofKind<A>(what: string, { name, is, remedies = [] }: Kind<A>, value: unknown): E.Either<LaplaceError, A> {
  if (is(value)) return E.right(value);
  const known = [...remedies, ...WRAPPERS].find((own) => own.is(value));
  return E.left(
    laplaceError('InvalidInput', {
      what,
      field: name.replace(/^an? /, ''),
      found: describe(value),
      expected: name,
      ...(known && { remedy: known.remedy }),
    }),
  );
}

/** Values of that kind, as they are. They are not decoded: they were made by this library. */
export const instance = <A>({ name, is }: Kind<A>): Codec<A> => refined(name, is);
