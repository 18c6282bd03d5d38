/**
 * The closed form for the case that only the last layer is covered. The pre-activation of that layer is f, so the gradient side
 * of its curvature is the sum of the likelihood's output Hessian Λ. Nothing is sent back through the network, and the C columns
 * of a root of Λ (C² numbers for each example) are never made. Each structure states what its closed form sums (`structure/`).
 *
 * The closed form replaces the `exact` Fisher. It also replaces `truncated`, whose tolerance it ignores. Memory: two arrays [C,
 * C], for a moment three, and a few arrays [B, C].
 */
import { lastLayer } from '../network/lastLayer.js';
import type { Network } from '../network/network.js';
import { type Curvature, fisherOf } from './codec.js';
import { fisherRule } from './fisher/index.js';
import type { LayerLayout } from './layout.js';
import { keepsShares } from './perOutput.js';
import { structureNamed } from './structure/index.js';
import type { ClosedForm } from './structure/structure.js';

/**
 * The closed form, if the estimator, the network and the likelihood all allow one; otherwise undefined.
 *
 * @param layers the layers of the layout
 */
export function closedFormOf(network: Network, layers: ReadonlyArray<LayerLayout>, curvature: Curvature): ClosedForm | undefined {
  const [layout] = layers;
  const { hessian } = network.likelihoodOps;
  // A closed form sums all outputs at once, and knows no share of one.
  const isWhole = asksForAll(curvature) && !keepsShares(curvature);
  if (layout === undefined || hessian === undefined || !isWhole || lastLayer(network) === undefined) return undefined;
  return structureNamed(layout.structure).closedForm?.(layout, hessian);
}

/** Whether the estimator aims at the whole of Λ. */
function asksForAll(curvature: Curvature): boolean {
  const fisher = fisherOf(curvature);
  return fisher === undefined || fisherRule(fisher).isWhole;
}
