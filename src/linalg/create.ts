/**
 * Makes engines from kernels. Each operation checks its arguments, runs its kernel and puts the result in order. An exception of
 * a kernel becomes an error value.
 */
import { either as E, function as F, taskEither as TE } from 'fp-ts';
import { isLaplaceError, type LaplaceError, laplaceError } from '../errors.js';
import type { AsyncLinalgEngine, EngineName, LinalgEngine, LinalgSession } from './engine.js';
import { outOfMemory } from './memory.js';
import type { Kernels, Operation } from './operations.js';
import * as operations from './operations.js';

/** Kernels that return promises, as they run elsewhere or later. */
export type AsyncKernels = {
  readonly [K in keyof Kernels]: (...args: Parameters<Kernels[K]>) => Promise<ReturnType<Kernels[K]>>;
};

/** Makes an engine that runs on this thread. */
export function createEngine(name: EngineName, kernels: Kernels): LinalgEngine {
  const run =
    <K extends keyof Kernels, Args extends ReadonlyArray<unknown>, A>({ kernel, before, after }: Operation<K, Args, A>) =>
    (...args: Args): E.Either<LaplaceError, A> =>
      F.pipe(
        before(...args),
        E.chain((input) => E.tryCatch(() => call(kernels[kernel], input), failure(name))),
        E.chain(after),
      );
  return Object.freeze({
    name,
    symmetricEigen: run(operations.symmetricEigen),
    cholesky: run(operations.cholesky),
    triangularSolve: run(operations.triangularSolve),
    logDeterminant: run(operations.logDeterminant),
    multiply: run(operations.multiply),
  });
}

/** Makes an asynchronous engine. `open` gives the kernels of a session, and the function that closes it. */
export function createAsyncEngine(name: EngineName, open: () => AsyncKernels & { close(): void }): AsyncLinalgEngine {
  const session = (): LinalgSession => {
    const kernels = open();
    const run =
      <K extends keyof Kernels, Args extends ReadonlyArray<unknown>, A>({ kernel, before, after }: Operation<K, Args, A>) =>
      (...args: Args): TE.TaskEither<LaplaceError, A> =>
        F.pipe(
          TE.fromIOEither(() => before(...args)),
          TE.chain((input) => TE.tryCatch(() => callAsync(kernels[kernel], input), failure(name))),
          TE.chainEitherK(after),
        );
    return Object.freeze({
      symmetricEigen: run(operations.symmetricEigen),
      cholesky: run(operations.cholesky),
      triangularSolve: run(operations.triangularSolve),
      logDeterminant: run(operations.logDeterminant),
      multiply: run(operations.multiply),
      close: () => kernels.close(),
    });
  };
  return Object.freeze({ name, open: session });
}

// The compiler doesn't see that each kernel of the union gets its own arguments. These two functions say so.
const call = <K extends keyof Kernels>(kernel: Kernels[K], args: Parameters<Kernels[K]>): ReturnType<Kernels[K]> =>
  (kernel as (...args: ReadonlyArray<unknown>) => ReturnType<Kernels[K]>)(...args);
const callAsync = <K extends keyof Kernels>(
  kernel: AsyncKernels[K],
  args: Parameters<Kernels[K]>,
): Promise<ReturnType<Kernels[K]>> => (kernel as (...args: ReadonlyArray<unknown>) => Promise<ReturnType<Kernels[K]>>)(...args);

const failure =
  (engine: EngineName) =>
  (cause: unknown): LaplaceError =>
    isLaplaceError(cause)
      ? cause
      : (outOfMemory(`The ${engine} engine`, cause) ??
        laplaceError('Backend', {
          what: `The ${engine} engine failed`,
          found: cause instanceof Error ? cause.message : String(cause),
          cause,
        }));

/** The error of a session's tasks once the session is closed. */
export const sessionClosed = (): LaplaceError => laplaceError('Backend', { what: 'The session of the engine is closed' });
