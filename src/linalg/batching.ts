/**
 * Asynchronous kernels for an engine that decomposes many matrices of one size in the time of one, each on a core of its own.
 * Eigendecompositions that are asked for in one turn of the event loop run together, grouped by size. Everything else runs at
 * once.
 */
import { MOST_TOGETHER, NUMBERS_TOGETHER } from '../limits.js';
import { turn } from '../turn.js';
import type { Matrix } from '../types.js';
import type { Decomposition } from './canonical.js';
import { type AsyncKernels, sessionClosed } from './create.js';
import type { Kernels } from './operations.js';

/** A matrix that waits to be decomposed. */
interface Asked {
  readonly a: Matrix;
  readonly resolve: (found: Decomposition) => void;
  readonly reject: (cause: unknown) => void;
}

/** @param symmetricEigens decomposes matrices of one size together. */
export function batching(
  kernels: Kernels,
  symmetricEigens: (all: ReadonlyArray<Matrix>) => ReadonlyArray<Decomposition>,
): AsyncKernels & { close(): void } {
  let waiting: ReadonlyArray<Asked> = [];
  let closed = false;

  const flush = async (): Promise<void> => {
    await turn();
    const all = waiting;
    waiting = [];
    for (const group of groupsOf(all)) {
      if (closed) for (const { reject } of group) reject(sessionClosed());
      else {
        decompose(group, symmetricEigens);
        await turn();
      }
    }
  };
  const atWork = (): Kernels => {
    if (closed) throw sessionClosed();
    return kernels;
  };
  return {
    symmetricEigen: (a) =>
      new Promise((resolve, reject) => {
        waiting = [...waiting, { a, resolve, reject }];
        if (waiting.length === 1) void flush();
      }),
    cholesky: async (a) => atWork().cholesky(a),
    triangularSolve: async (l, b, transposed) => atWork().triangularSolve(l, b, transposed),
    multiply: async (a, b) => atWork().multiply(a, b),
    close: () => {
      closed = true;
    },
  };
}

function decompose(group: ReadonlyArray<Asked>, symmetricEigens: Parameters<typeof batching>[1]): void {
  try {
    const found = symmetricEigens(group.map(({ a }) => a));
    group.forEach(({ resolve }, i) => {
      resolve(found[i] as Decomposition);
    });
  } catch (cause) {
    for (const { reject } of group) reject(cause);
  }
}

/** Groups matrices by size, in the order in which sizes were first asked for. No group is larger than the limits allow. */
function groupsOf(all: ReadonlyArray<Asked>): ReadonlyArray<ReadonlyArray<Asked>> {
  const sizes = [...new Set(all.map(({ a }) => a.rows))];
  return sizes.flatMap((n) => {
    const own = all.filter(({ a }) => a.rows === n);
    const most = Math.max(1, Math.min(MOST_TOGETHER, Math.floor(NUMBERS_TOGETHER / n ** 2)));
    return Array.from({ length: Math.ceil(own.length / most) }, (_, i) => own.slice(i * most, (i + 1) * most));
  });
}
