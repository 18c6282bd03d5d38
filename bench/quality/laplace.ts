/** The posterior of a trained classifier, tuned on validation images, and its predictives as baselines. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  type Curvature,
  categorical,
  isotropic,
  linearised,
  observe,
  orThrow,
  type Posterior,
  type Tuning,
  type TuningRule,
  toPosterior,
  tune,
  withPrior,
} from 'tfjs-laplace';
import { type Baseline, posteriorPredictive } from 'tfjs-laplace/plugins/baselines';
import { type Images, labelled } from './images.js';

/** A posterior and what `tune` has found for it. */
export interface Tuned {
  readonly posterior: Posterior;
  readonly tuning: Tuning;
  readonly seconds: { readonly pass: number; readonly tuning: number };
}

export async function tunedPosterior(model: LayersModel, { training, validation }: Images, curvature: Curvature): Promise<Tuned> {
  const start = performance.now();
  const posterior = await lastValueFrom(
    from(labelled(training)).pipe(observe(model, categorical()), accumulateFactors(curvature), toPosterior()),
  );
  const passed = performance.now();
  const tuning = await tune(model, posterior, labelled(validation));
  return { posterior, tuning, seconds: { pass: (passed - start) / 1000, tuning: (performance.now() - passed) / 1000 } };
}

/** The linearised predictive at the choice of one rule. */
export function linearisedBy(rule: TuningRule, model: LayersModel, { posterior, tuning }: Tuned, name: string): Baseline {
  const { precision, scale } = tuning.choices[rule];
  return posteriorPredictive(name, model, orThrow(withPrior(posterior, isotropic(precision))), linearised({ scale }));
}

/** The linearised predictive at multiples of the precision with the highest evidence, each with the scale that suits it. */
export async function linearisedAt(
  factors: ReadonlyArray<number>,
  model: LayersModel,
  { posterior, tuning }: Tuned,
  { validation }: Images,
): Promise<ReadonlyArray<Baseline>> {
  const { precision: middle } = tuning.choices.evidence;
  const { candidates } = await tune(model, posterior, labelled(validation), {
    precisions: factors.map((factor) => factor * middle),
  });
  return candidates.map(({ precision, scale }): Baseline => {
    const factor = Number((precision / middle).toPrecision(2));
    const under = orThrow(withPrior(posterior, isotropic(precision)));
    return posteriorPredictive(`linearised, evidence's τ × ${factor}`, model, under, linearised({ scale }));
  });
}

/** The predictive that `tune` returns by default. */
export const tunedPredictive = (model: LayersModel, { tuning }: Tuned, name: string): Baseline =>
  posteriorPredictive(name, model, tuning.posterior, tuning.predictive);

/** What the rules have chosen, in words. */
export const choicesOf = ({ tuning: { choices, verdict, candidates, network }, seconds }: Tuned): string => {
  const own = (rule: TuningRule): string => {
    const { precision, scale } = choices[rule];
    return `${rule} τ = ${precision.toPrecision(2)}, s = ${scale.toFixed(2)}`;
  };
  const all = (['widest', 'best', 'evidence'] as const).map(own).join('; ');
  return `${all}; MAP s = ${network.fitted.scale.toFixed(2)}; ${verdict}; ${candidates.length} candidates; pass ${seconds.pass.toFixed(1)} s, tune ${seconds.tuning.toFixed(1)} s`;
};
