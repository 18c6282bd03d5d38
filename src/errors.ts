/**
 * Everything that can go wrong in an expected way, as one tagged union, and one rule of how it comes:
 *
 * - An option that is wrong for any data throws `InvalidOption` at the call. This holds for constructors
 *   (`kfac`, `isotropic`), operators (`toPosterior`) and pure functions, also when called without their data.
 * - A failure that depends on values (factors, a posterior, a model, predictions) is a `Left` of a pure function. A function without an
 *   `Either` (`evidence`, `credibleIntervals`) takes every value of the right kind, and throws `InvalidInput` for one of another kind.
 * - A stream carries it as its error notification.
 * - A promise rejects with it, whatever the mistake is.
 *
 * `recipe` throws `InvalidRecipe`, which lists all mistakes. Functions with effects that return no promise throw: functions that run inside
 * `tf.tidy`, whose stream then carries the error, and `registerWasmKernels`. `orThrow` turns a `Left` into an exception.
 *
 * Tell errors apart by `kind`, never by `instanceof`: the class of the ESM build is not the class of the CommonJS build.
 */

/** What a `LaplaceError` can be about. */
export type LaplaceErrorKind =
  /** A model that is not built, not compiled where that matters, disposed, or of a form that cannot be read. */
  | 'InvalidModel'
  /** A layer without a curvature block, where one was asked for. */
  | 'UnsupportedLayer'
  /** No layer is left for the posterior to cover, or a named one does not exist. */
  | 'NoBayesianLayer'
  /** The training loss is not the negative log-likelihood that was named. */
  | 'LossMismatch'
  /** Labels of the wrong shape or range. */
  | 'InvalidLabels'
  /** Inputs of the wrong shape; or a value of another kind where factors, a posterior, a prediction or rows belong. */
  | 'InvalidInput'
  /** A matrix that has no Cholesky factor. */
  | 'NotPositiveDefinite'
  /** NaN or infinity where a finite number belongs. */
  | 'NotFinite'
  /** A stream that ended without a batch, or factors that count no example. */
  | 'Empty'
  /** Factors or a posterior that belong to another model, layout or set of weights. */
  | 'Mismatch'
  /** An option outside its range (prior precision, temperature, samples …). */
  | 'InvalidOption'
  /** A recipe that does not decode; `issues` lists every problem. */
  | 'InvalidRecipe'
  /** Bytes that are no file of this library or of the format that is read, that are damaged, or that a newer version of the library wrote. */
  | 'InvalidFile'
  /** A place that cannot be written or read: a full disk, no permission, a missing file, a server that refuses. */
  | 'Storage'
  /** An operation at the wrong time (a prediction before there is a posterior). */
  | 'NotReady'
  /** A backend or engine that cannot do what is asked. */
  | 'Backend';

/** One problem in a value that did not decode. */
export interface DecodeIssue {
  /** Where the problem is, for example `curvature.fisher`. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

/** What an error is about, what was found and expected, and what to do. Only `what` is required. */
export interface ErrorParts {
  /** The complaint in a few words, naming the layer or field. */
  readonly what: string;
  readonly layer?: string;
  readonly field?: string;
  readonly found?: string;
  readonly expected?: string;
  /** What the caller can do about it. */
  readonly remedy?: string;
  readonly issues?: ReadonlyArray<DecodeIssue>;
  readonly cause?: unknown;
}

/** The library's error value. It is an `Error`, so that it has a stack wherever it surfaces. Compare it by `_tag` and `kind`. */
export class LaplaceError extends Error {
  readonly _tag = 'LaplaceError' as const;
  readonly kind: LaplaceErrorKind;
  readonly layer: string | undefined;
  readonly field: string | undefined;
  readonly found: string | undefined;
  readonly expected: string | undefined;
  readonly remedy: string | undefined;
  readonly issues: ReadonlyArray<DecodeIssue>;

  constructor(kind: LaplaceErrorKind, parts: ErrorParts) {
    super(message(parts), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'LaplaceError';
    this.kind = kind;
    this.layer = parts.layer;
    this.field = parts.field;
    this.found = parts.found;
    this.expected = parts.expected;
    this.remedy = parts.remedy;
    this.issues = parts.issues ?? [];
  }
}

function message({ what, found, expected, remedy }: ErrorParts): string {
  const facts = [found && `found ${found}`, expected && `expected ${expected}`].filter(Boolean).join(', ');
  const head = facts ? `${what}: ${facts}.` : `${what}.`;
  return remedy ? `${head} ${remedy}` : head;
}

/** Makes an error value: `laplaceError('InvalidOption', { what: 'priorPrecision', found: '-1', expected: 'a number > 0' })`. */
export const laplaceError = (kind: LaplaceErrorKind, parts: ErrorParts): LaplaceError => new LaplaceError(kind, parts);

/** True for a `LaplaceError` of any build of this package. */
export const isLaplaceError = (value: unknown): value is LaplaceError =>
  typeof value === 'object' && value !== null && (value as { _tag?: unknown })._tag === 'LaplaceError';
