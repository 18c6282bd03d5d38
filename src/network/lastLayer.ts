/**
 * Networks in which only the final dense layer is covered. Its pre-activation z = aᵀW is f itself. So the gradient of output c in
 * z is the c-th unit vector, and nothing has to be sent back through the network.
 */
import type { Block, Network } from './network.js';

/**
 * The block of the final dense layer, if it is the only block. The model must have one output, and the layer one use and one
 * position, so that z = f. Undefined for other networks.
 */
export function lastLayer({ blocks, ends }: Pick<Network, 'blocks' | 'ends'>): Block | undefined {
  const [block, ...others] = blocks;
  if (block === undefined || others.length > 0 || ends.length > 1) return undefined;
  const { map, ops } = block;
  const whole = map.groups === 1 && map.positions === 1 && map.inputs === 'rows';
  return whole && ops.length === 1 && ops[0]?.output === ends[0] ? block : undefined;
}
