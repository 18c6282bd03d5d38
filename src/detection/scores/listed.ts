/** A score that a prediction has as one of its fields. */
import type { either as E } from 'fp-ts';
import type { LaplaceError } from '../../errors.js';
import { checkFinite, sound } from '../../metrics/rows.js';

export const listed = (values: ArrayLike<number>, field: string): E.Either<LaplaceError, Float64Array> =>
  sound(checkFinite(values, `prediction.${field}`), () => Float64Array.from(values));
