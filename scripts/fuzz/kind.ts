/** What the fuzzer runs: kinds of cases, each with what draws them and what judges them. */
import type fc from 'fast-check';

/** One kind of case. */
export interface Kind {
  readonly name: string;
  /** What a case is, in a line. */
  readonly about: string;
  /** How many of 100 cases are of this kind. */
  readonly share: number;
  /** Runs cases, and tells the first finding in its smallest form. */
  readonly run: (parameters: Parameters) => Promise<Ran>;
}

/** Which cases are run. */
export interface Parameters {
  readonly seed: number;
  readonly cases: number;
  /** The one case to run again. */
  readonly path?: string | undefined;
  /** Called before each case, also while a finding is made smaller. */
  readonly onCase?: (() => void) | undefined;
}

/** What a run of one kind came to. */
export interface Ran {
  readonly cases: number;
  readonly finding?: Finding;
}

/** A case that the library, or what judges it, gets wrong. */
export interface Finding {
  readonly path: string;
  /** The smallest case, in words. */
  readonly shown: string;
  readonly error: string;
}

/** How the cases of a kind are drawn, judged and shown. */
export interface Cases<T> {
  readonly name: string;
  readonly about: string;
  readonly share: number;
  readonly cases: fc.Arbitrary<T>;
  /** Throws if something is wrong. */
  readonly check: (value: T) => Promise<void> | void;
  readonly show: (value: T) => string;
}

/** Throws what is wrong, unless the condition holds. */
export function claim(holds: boolean, wrong: () => string): asserts holds {
  if (!holds) throw new Error(wrong());
}
