/** How something ended, in words that can leave a page. */
import { isLaplaceError } from 'tfjs-laplace';

/** `kind: message` of the `LaplaceError` that ended it, or what happened in its place. */
export const outcome = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no error',
    (error: unknown) => (isLaplaceError(error) ? `${error.kind}: ${error.message}` : `not a LaplaceError: ${error}`),
  );
