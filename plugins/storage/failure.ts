/** Errors of places: a full disk, a missing file, a server that refuses. */
import { isLaplaceError, type LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';

/** The error of a place that cannot be written or read. */
export const failed = (what: 'write' | 'read', name: string, cause: unknown, remedy = ''): LaplaceError =>
  laplaceError('Storage', {
    what: `Cannot ${what} ${name}`,
    field: 'where',
    found: cause instanceof Error ? cause.message : String(cause),
    remedy,
    cause,
  });

/** Runs the work of a place. Whatever it throws becomes an error that names the place, unless it is an error of this
 * library already. */
export async function within<A>(what: 'write' | 'read', name: string, work: () => Promise<A>): Promise<A> {
  try {
    return await work();
  } catch (error) {
    throw isLaplaceError(error) ? error : failed(what, name, error);
  }
}
