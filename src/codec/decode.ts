/**
 * Turns io-ts's problems into one error value of the library. The error lists all problems at once, each with its path, what was
 * found and what is allowed.
 */
import { either as E } from 'fp-ts';
import type * as t from 'io-ts';
import { type DecodeIssue, type LaplaceError, type LaplaceErrorKind, laplaceError } from '../errors.js';
import { type Codec, isRecord } from './codec.js';
import { describe } from './words.js';

/** Decodes unknown input. `what` names the input in the error, whose kind is `InvalidRecipe` if no other is given. */
export const decode = <A, I>(
  codec: Codec<A, I>,
  input: unknown,
  what: string = codec.name,
  kind: LaplaceErrorKind = 'InvalidRecipe',
): E.Either<LaplaceError, A> => E.mapLeft((errors: t.Errors) => refused(kind, what, errors.map(issueOf)))(codec.decode(input));

/** The decoded options of a function, or `InvalidOption` thrown, which names the fields. `what` names the function. */
export function accepted<A, I>(what: string, codec: Codec<A, I>, options: unknown): A {
  const result = codec.decode(options);
  if (result._tag === 'Right') return result.right;
  throw refused('InvalidOption', what, result.left.map(issueOf));
}

/**
 * Makes the tagged value of a constructor from its options. Throws an `InvalidOption` that names the fields.
 *
 * @param maker the name of the constructor, for the error
 * @param tag the tag of the value; by default the name of the constructor
 */
export function make<A, I>(maker: string, codec: Codec<A, I>, options: unknown, tag: string = maker): A {
  const { _tag = tag, ...rest } = recordOf(maker, options);
  return accepted(maker, codec, { ...rest, _tag });
}

/** The options of a constructor beside its other arguments, as one object. Throws `InvalidOption` for options that are no object. */
export const beside = (maker: string, options: object, others: object): object => ({ ...recordOf(maker, options), ...others });

function recordOf(maker: string, options: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(options)) return options;
  throw refused('InvalidOption', maker, [{ path: 'options', found: describe(options), expected: 'an object' }]);
}

const issueOf = ({ value, context, message }: t.ValidationError): DecodeIssue => ({
  path: pathOf(context.map(({ key }) => key)),
  found: describe(value),
  expected: message ?? context.at(-1)?.type.name ?? 'something else',
});

/** The path as one would write it in code: `curvature.layers[1]`, `prior.precisions["a.b"]`. It is empty for the whole input. */
const pathOf = (keys: ReadonlyArray<string>): string =>
  keys
    .slice(1)
    .map((key) => (/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : /^\d+$/.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`))
    .join('')
    .replace(/^\./, '');

/** The most problems that a message tells; `issues` has all of them. */
const MOST = 20;

/** The error that lists problems. `what` names the input. */
export function refused(kind: LaplaceErrorKind, what: string, issues: ReadonlyArray<DecodeIssue>): LaplaceError {
  const [first] = issues;
  if (issues.length !== 1 || first === undefined) {
    const lines = issues
      .slice(0, MOST)
      .map(({ path, found, expected }) => `\n  ${path || what}: found ${found}, expected ${expected}`);
    if (issues.length > MOST) lines.push(`\n  and ${issues.length - MOST} more`);
    return laplaceError(kind, { what: `${what} has ${issues.length} problems:${lines.join(';')}`, issues });
  }
  const { path, found, expected } = first;
  const subject = path === '' ? { what } : { what: `${what}: ${path}`, field: path };
  return laplaceError(kind, { ...subject, found, expected, issues });
}
