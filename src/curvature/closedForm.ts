/**
 * The last layer alone. Its pre-activation is f, so that the gradient side of its curvature is the likelihood's Λ itself. Nothing is sent
 * back, and the C columns of a root of Λ (C² numbers an example) are not made. Each structure that has such a form says what is
 * summed in it (`structure/`).
 *
 * Takes the place of the `exact` Fisher, and of the `truncated` one, whose tolerance is ignored. Memory: two sums, or three of [C, C] for
 * a moment, and a few [B, C].
 */
import { lastLayer } from '../network/lastLayer.js';
import type { Network } from '../network/network.js';
import { type Curvature, fisherOf } from './codec.js';
import { fisherRule } from './fisher/index.js';
import type { LayerLayout } from './layout.js';
import { structureNamed } from './structure/index.js';
import type { ClosedForm } from './structure/structure.js';

/** The closed form, where estimator, network and likelihood have one; `layers` are those of the layout. */
export function closedFormOf(network: Network, layers: ReadonlyArray<LayerLayout>, curvature: Curvature): ClosedForm | undefined {
  const [layout] = layers;
  const { hessian } = network.likelihoodOps;
  if (layout === undefined || hessian === undefined || !asksForAll(curvature) || lastLayer(network) === undefined) {
    return undefined;
  }
  return structureNamed(layout.structure).closedForm?.(layout, hessian);
}

/** Whether the estimator is after the whole of Λ. */
function asksForAll(curvature: Curvature): boolean {
  const fisher = fisherOf(curvature);
  return fisher === undefined || fisherRule(fisher).isWhole;
}
