/** What people and tools may want to know about a file without reading it. */
import type { FactorsFacts, Posterior } from 'tfjs-laplace';

/** What `laplace.json` says. The file itself holds all of it. */
export const aboutPosterior = (posterior: Posterior, bytes: number): object => ({
  format: 'tfjs-laplace',
  kind: 'posterior',
  bytes,
  fingerprint: posterior.fingerprint,
  likelihood: posterior.likelihood._tag,
  estimator: posterior.estimator._tag,
  damping: posterior.damping._tag,
  datasetSize: posterior.datasetSize,
  outputs: posterior.outputs,
  layers: posterior.layers.map(({ name, structure, groups, n, m, priorPrecision }) => ({
    name,
    structure,
    groups,
    n,
    m,
    priorPrecision,
  })),
});

/** What `factors.json` says. */
export const aboutFactors = (
  { layout, fingerprint: weights, count, datasetSize }: Pick<FactorsFacts, 'layout' | 'fingerprint' | 'count' | 'datasetSize'>,
  bytes: number,
): object => ({
  format: 'tfjs-laplace',
  kind: 'factors',
  bytes,
  fingerprint: weights,
  likelihood: layout.likelihood._tag,
  estimator: layout.estimator._tag,
  count,
  datasetSize,
  outputs: layout.outputs,
  layers: layout.layers.map(({ name, structure, groups, n, m }) => ({ name, structure, groups, n, m })),
});
