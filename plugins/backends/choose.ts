/** Chooses the backend from the results of the trials. The functions are pure, so that tests need no backend. */
import { either as E } from 'fp-ts';
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';

/** Name by which a caller asks for a backend. */
export type BackendName = (typeof BACKENDS)[number];

/** The backend in use. */
export interface Backend {
  readonly name: BackendName;
  /** Why this backend was chosen, and why better ones were not. */
  readonly reason: string;
  /** How much slower it is than the fastest backend, in words. */
  readonly cost: string;
}

/** The result of trying a backend: it works if there is no `failure`. */
export interface Trial {
  readonly name: BackendName;
  readonly failure?: string;
  /** Functions that this version of Node has removed and that were defined again for the backend. */
  readonly restored?: ReadonlyArray<string>;
}

/** All backends, the fastest first. */
export const BACKENDS = ['node', 'wasm', 'cpu'] as const;

/** What each backend computes with. */
const KINDS: Readonly<Record<BackendName, string>> = {
  node: "TensorFlow's own kernels",
  wasm: 'WebAssembly kernels, completed by tfjs-laplace/plugins/wasm-kernels',
  cpu: 'plain JavaScript kernels',
};

/**
 * What each backend costs. Measured on two cores: a 1200 x 1200 matrix product, a training step of 784-1200-1200-10, and the
 * eigendecomposition of a 1200 x 1200 matrix.
 */
const COSTS: Readonly<Record<BackendName, string>> = {
  node: 'This is the fastest backend.',
  wasm: 'Matrix products take about 5 times as long, training steps of dense layers about 5 times, and a large eigendecomposition twice.',
  cpu: 'Matrix products take hundreds of times as long: for small examples only.',
};

const REMEDIES: Readonly<Record<BackendName, string>> = {
  node: 'Install @tensorflow/tfjs-node-gpu so that its binding loads (in this repository: npm run setup), or leave the name out.',
  wasm: 'Install @tensorflow/tfjs-backend-wasm, and in a browser tell setWasmPaths where its files are. Or leave the name out.',
  cpu: 'Install @tensorflow/tfjs-backend-cpu, or leave the name out.',
};

/**
 * Chooses the first backend that works.
 *
 * @param prefer the name that the caller asked for, if any
 * @param trials results, in the order in which the backends were tried
 * @returns `Backend` with every failure when none works
 */
export function choose(prefer: string | undefined, trials: ReadonlyArray<Trial>): E.Either<LaplaceError, Backend> {
  const failures = trials.filter((t) => t.failure !== undefined);
  const chosen = trials.find((t) => t.failure === undefined);
  if (chosen === undefined) return E.left(none(prefer, failures));
  const because = prefer === undefined ? 'the best that works here' : 'asked for by name';
  const reason = [
    `${KINDS[chosen.name]}, ${because}`,
    ...(chosen.restored ?? []).map(
      (name) => `${name}, which this version of Node has removed and TensorFlow calls, is defined again`,
    ),
    ...failures.map((t) => `${t.name} does not work: ${t.failure}`),
  ].join('; ');
  return E.right({ name: chosen.name, reason, cost: COSTS[chosen.name] });
}

const none = (prefer: string | undefined, failures: ReadonlyArray<Trial>): LaplaceError =>
  laplaceError('Backend', {
    what: prefer === undefined ? 'No backend works' : `The backend '${prefer}' does not work`,
    found: failures.map((t) => `${t.name}: ${t.failure}`).join('; '),
    remedy:
      prefer === undefined
        ? 'Install @tensorflow/tfjs-node-gpu, @tensorflow/tfjs-backend-wasm or @tensorflow/tfjs-backend-cpu.'
        : REMEDIES[prefer as BackendName],
  });
