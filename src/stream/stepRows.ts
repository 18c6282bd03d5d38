/** What a training step shows of its batch: the rows of every block, or else all inputs for a separate pass. */
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Network } from '../network/network.js';
import type { BlockRows } from '../network/uses.js';

/**
 * The rows that a training step gave for every block. Undefined if the rows of a block are missing: then a separate pass is
 * needed.
 */
export function rowsOfBlocks(
  { blocks }: Network,
  rows: ReadonlyMap<string, BlockRows> = new Map(),
): ReadonlyArray<BlockRows> | undefined {
  const found = blocks.flatMap(({ name }) => rows.get(name) ?? []);
  return found.length === blocks.length ? found : undefined;
}

/**
 * The error for a batch that lacks inputs. A training step may give rows but not all inputs, such as inputs that only a shared
 * layer reads.
 */
export const inputsMissing = ({ model, inputs }: Network, found: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `The batch lacks inputs of model '${model.name}'`,
    field: 'x',
    found: `${found} of them`,
    expected: `${inputs.length}, because this curvature cannot use the rows of the training step`,
    remedy: 'Observe the trained model in a separate pass over the data.',
  });
