/**
 * A network of which nothing is covered but the dense layer that ends it: its pre-activation z = aᵀW is f itself, so that the gradient
 * of output c in z is the c-th unit vector, and nothing has to be sent back.
 */
import type { Block, Network } from './network.js';

/** That layer: one output, one use, one position, z = f; undefined for any other network. */
export function lastLayer({ blocks, ends }: Pick<Network, 'blocks' | 'ends'>): Block | undefined {
  const [block, ...others] = blocks;
  if (block === undefined || others.length > 0 || ends.length > 1) return undefined;
  const { map, ops } = block;
  const whole = map.groups === 1 && map.positions === 1 && map.inputs === 'rows';
  return whole && ops.length === 1 && ops[0]?.output === ends[0] ? block : undefined;
}
