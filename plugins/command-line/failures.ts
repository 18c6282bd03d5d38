/** How a command ends: its exit code, and what it says on stderr. No stack trace is shown. */
import { isLaplaceError, type LaplaceErrorKind } from 'tfjs-laplace';

/** The exit codes. */
export const EXIT = {
  /** The work failed: data that do not fit the model, numbers that are not finite, a backend that cannot do it. */
  failed: 1,
  /** The command was written wrongly: an unknown option, a value out of range, a recipe that does not decode. */
  usage: 2,
  /** A file or a place cannot be read or written, or what is there is damaged or no file of this library. */
  file: 3,
  /** Things do not belong together: a posterior and a model with other weights, factors of two layouts. */
  mismatch: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

const OF_KIND: Partial<Record<LaplaceErrorKind, number>> = {
  InvalidOption: EXIT.usage,
  InvalidRecipe: EXIT.usage,
  InvalidFile: EXIT.file,
  Storage: EXIT.file,
  Mismatch: EXIT.mismatch,
};

/** The exit code of an error, and its words. */
export function ended(error: unknown): { readonly code: number; readonly words: string } {
  if (isLaplaceError(error)) return { code: OF_KIND[error.kind] ?? EXIT.failed, words: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: EXIT.failed,
    words: `${message}\nThis error has no name in tfjs-laplace: it may be a mistake of the library. Please report it.`,
  };
}
