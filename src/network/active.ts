/** Finds the values that depend on covered weights. */
import type { Network } from './network.js';
import { inputsOf, type Op, outputsOf, type ValueId } from './ops.js';

/**
 * Values that depend on the weights of a block. Only these need gradients, and only these differ between draws of the weights.
 */
export function activeValues(network: Network): ReadonlySet<ValueId> {
  const covered = new Set<Op>(network.blocks.flatMap((b) => b.ops));
  const active = new Set<ValueId>();
  for (const op of network.ops) {
    if (covered.has(op) || inputsOf(op).some((id) => active.has(id))) for (const id of outputsOf(op)) active.add(id);
  }
  return active;
}
