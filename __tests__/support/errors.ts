/** Asserting on the library's error values. */
import { isLaplaceError, type LaplaceError, type LaplaceErrorKind } from 'tfjs-laplace';

/** What a promise rejects with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error,
  );

/** The `LaplaceError` that a promise rejects with, of the kind and with the parts that were named. */
export async function expectRejection(
  promise: Promise<unknown>,
  kind: LaplaceErrorKind,
  parts: Partial<Pick<LaplaceError, 'field' | 'layer' | 'found' | 'message'>> = {},
): Promise<LaplaceError> {
  const error = await rejection(promise);
  if (!isLaplaceError(error)) throw error;
  expect(error).toMatchObject({ kind, ...parts });
  return error;
}

/** Checks that a call throws `InvalidOption` about this field, before there is a stream or a result. */
export const expectRefusal = (call: () => unknown, field: string): void =>
  expect(call).toThrow(expect.objectContaining({ _tag: 'LaplaceError', kind: 'InvalidOption', field }));
