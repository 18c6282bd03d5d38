/**
 * Checks that `lowRank` suits a network: the only covered layer must be the last one, Λ must have a closed form, and the input
 * factor must not be too large.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { LARGEST_FACTOR } from '../limits.js';
import { lastLayer } from '../network/lastLayer.js';
import type { Network } from '../network/network.js';
import type { Curvature } from './codec.js';

/** Returns the network itself, or `UnsupportedLayer` if `lowRank` does not suit it. Other estimators always pass. */
export function suitsLowRank(network: Network, { _tag }: Curvature): E.Either<LaplaceError, Network> {
  if (_tag !== 'lowRank') return E.right(network);
  const layer = network.blocks.map(({ name }) => name).join(', ');
  const refused = (parts: { what: string; found: string; expected: string; remedy: string }) =>
    E.left(laplaceError('UnsupportedLayer', { layer, ...parts }));
  const last = lastLayer(network);
  if (last === undefined) {
    return refused({
      what: 'lowRank covers the last layer alone',
      found: `${network.blocks.length === 1 ? 'a layer whose pre-activation is not the output' : 'several layers'}: ${layer}`,
      expected: 'one dense layer that gives the outputs of a model of one output, before the link',
      remedy: "Use layers: 'last', or kfac() for other layers and several outputs.",
    });
  }
  if (network.likelihoodOps.hessian === undefined) {
    return refused({
      what: 'lowRank needs the output Hessian in closed form',
      found: `likelihood '${network.likelihood._tag}'`,
      expected: 'categorical, bernoulli, gaussian, heteroscedastic or poisson',
      remedy: "Use kfac({ layers: 'last' }), which needs no closed form.",
    });
  }
  if (last.n <= LARGEST_FACTOR) return E.right(network);
  return refused({
    what: `The input factor of layer '${last.name}' would be too large`,
    found: `${last.n} rows`,
    expected: `at most ${LARGEST_FACTOR}`,
    remedy: "Use diagonal({ layers: 'last' }).",
  });
}
