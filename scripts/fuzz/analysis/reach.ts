/** How large the values inside a drawn network can be, by its description alone. */
import type { NetworkSpec } from './network.js';

type Step = NetworkSpec['first'][number];

const BOUNDED: ReadonlySet<string> = new Set(['tanh', 'sigmoid', 'softmax', 'hardSigmoid']);
/** Four standard deviations of a sum over the most inputs that a unit has: 27, of an image. */
const LAYER = 4 * Math.sqrt(27);

/**
 * The logarithm of the largest value, for draws whose weights are within four standard deviations.
 *
 * @param deviation of a drawn weight
 * @param scale of the inputs
 */
export function reachOfDraws({ input, first, after }: NetworkSpec, deviation: number, scale: number): number {
  const layer = Math.log(LAYER * Math.max(1, deviation));
  const start = input === 'tokens' ? layer : Math.log(4 * Math.max(1, scale));
  const steps = [...(input === 'vector' ? [] : first), ...after];
  return steps.reduce((reach, step) => Math.max(0, through(step, reach, layer)), start) + layer;
}

/** What a step makes of values that reach so far. A layer with weights adds `layer`. */
function through({ layer: kind, activation }: Step, reach: number, layer: number): number {
  const isBounded = BOUNDED.has(activation);
  const unit = isBounded ? 0 : reach + layer;
  switch (kind) {
    case 'twice':
    case 'separable':
      return isBounded ? 0 : reach + 2 * layer;
    case 'multiply':
      return reach + unit;
    case 'residual':
    case 'concatenate':
      return Math.max(reach, unit) + Math.LN2;
    case 'layerNormalization':
      return layer;
    case 'batchNormalization':
      return reach + layer;
    case 'simpleRNN':
    case 'gru':
    case 'lstm':
    case 'bidirectional':
      return Math.LN2;
    case 'dropout':
    case 'maxPooling':
      return reach;
    case 'activation':
      return isBounded ? 0 : reach;
    default:
      return unit;
  }
}
