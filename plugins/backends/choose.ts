/** Which backend, decided from what works: pure, so that every case can be tried without the backends. */
import { either as E } from 'fp-ts';
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';

/** A backend by the name that people ask for it. */
export type BackendName = 'node' | 'wasm' | 'cpu';

/** The backend in use. */
export interface Backend {
  readonly name: BackendName;
  /** Why this one. */
  readonly reason: string;
  /** What it costs compared with the best one, in plain words. */
  readonly cost: string;
}

/** A backend that was tried: it works unless it says why not. */
export interface Trial {
  readonly name: BackendName;
  readonly failure?: string;
}

/** Best first. */
export const BACKENDS: ReadonlyArray<BackendName> = ['node', 'wasm', 'cpu'];

/** What each is. */
const KINDS: Readonly<Record<BackendName, string>> = {
  node: "TensorFlow's own kernels",
  wasm: 'WebAssembly kernels, with those of tfjs-laplace/plugins/wasm-kernels',
  cpu: 'plain JavaScript kernels',
};

/** Measured on two cores: a 1200 x 1200 matmul, a training step of 784-1200-1200-10, eigenvalues of a 1200 x 1200 matrix. */
const COSTS: Readonly<Record<BackendName, string>> = {
  node: 'Nothing: the fastest.',
  wasm: 'Matrix products take about 5 times as long, training steps of dense layers about 5 times, and a large eigendecomposition twice.',
  cpu: 'Matrix products take hundreds of times as long: for small examples only.',
};

const REMEDIES: Readonly<Record<BackendName, string>> = {
  node: 'Install @tensorflow/tfjs-node-gpu so that its binding loads (in this repository: npm run setup), or leave the name out.',
  wasm: 'Install @tensorflow/tfjs-backend-wasm, and in a browser say where its files are with setWasmPaths; or leave the name out.',
  cpu: 'Install @tensorflow/tfjs-backend-cpu, or leave the name out.',
};

/** The backends to try, in order: the named one alone, or all. */
export function candidates(prefer: string | undefined): E.Either<LaplaceError, ReadonlyArray<BackendName>> {
  if (prefer === undefined) return E.right(BACKENDS);
  const named = BACKENDS.find((name) => name === prefer);
  if (named !== undefined) return E.right([named]);
  return E.left(
    laplaceError('InvalidOption', {
      what: 'There is no backend of that name',
      field: 'prefer',
      found: `'${prefer}'`,
      expected: BACKENDS.map((name) => `'${name}'`).join(', '),
    }),
  );
}

/** The first that works. `trials` are in the order in which they were tried. */
export function choose(prefer: string | undefined, trials: ReadonlyArray<Trial>): E.Either<LaplaceError, Backend> {
  const failures = trials.filter((t) => t.failure !== undefined);
  const chosen = trials.find((t) => t.failure === undefined)?.name;
  if (chosen === undefined) return E.left(none(prefer, failures));
  const because = prefer === undefined ? 'the best that works here' : 'asked for by name';
  const reason = [`${KINDS[chosen]}, ${because}`, ...failures.map((t) => `${t.name} does not work: ${t.failure}`)].join('; ');
  return E.right({ name: chosen, reason, cost: COSTS[chosen] });
}

const none = (prefer: string | undefined, failures: ReadonlyArray<Trial>): LaplaceError =>
  laplaceError('Backend', {
    what: prefer === undefined ? 'No backend works' : `The backend '${prefer}' does not work`,
    found: failures.map((t) => `${t.name}: ${t.failure}`).join('; '),
    remedy: prefer === undefined ? 'Install one of the backends of TensorFlow.js.' : REMEDIES[prefer as BackendName],
  });
