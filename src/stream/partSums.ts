/** The sums of an accumulator: one for each part of each layer, or for each output's share of it. */
import type { Factors, LayerSums } from '../curvature/factors.js';
import type { Layout } from '../curvature/layout.js';
import type { Sink } from '../curvature/observation.js';
import { INPUT, structured, sumsOf } from '../curvature/structure/index.js';
import type { ClosedForm } from '../curvature/structure/structure.js';
import { plus } from '../linalg/matrix.js';
import type { Matrix } from '../types.js';
import { type Bag, createSumOfBatches, type SumOfBatches, stage, stageSum } from './sumOfBatches.js';

/** One sum. */
export interface PartSum {
  readonly layer: number;
  readonly part: string;
  /** The output whose share it is; undefined for a sum of all outputs. */
  readonly share: number | undefined;
  readonly total: SumOfBatches;
}

/**
 * The sums of a layout.
 *
 * @param most how many products a sum may hold on the device
 */
export const partSumsOf = (
  { layers, shares }: Layout,
  closed: ClosedForm | undefined,
  most: number | undefined,
): ReadonlyArray<PartSum> =>
  layers.flatMap((own, layer) =>
    Object.entries(closed?.sums ?? sumsOf(own)).flatMap(([part, shape]): ReadonlyArray<PartSum> => {
      const sum = (share?: number): PartSum => ({
        layer,
        part,
        share,
        total: createSumOfBatches(shape, most, share === undefined ? 1 : shares),
      });
      return part === INPUT || shares === undefined ? [sum()] : Array.from({ length: shares }, (_, share) => sum(share));
    }),
  );

/** A sink that puts what a batch adds to each sum into that sum's bag. */
export function sinkInto(bags: ReadonlyArray<Bag>, sums: ReadonlyArray<PartSum>): Sink {
  const sink = (share?: number): Sink => {
    const bag = (layer: number, part: string): Bag =>
      bags[sums.findIndex((sum) => sum.layer === layer && sum.part === part && sum.share === share)] as Bag;
    return {
      gram: (layer, part, rows) => stage(bag(layer, part), rows),
      add: (layer, part, sum) => stageSum(bag(layer, part), sum),
      ...(share === undefined && { share: sink }),
    };
  };
  return sink();
}

/**
 * The layers of factors, and what each output adds to them.
 *
 * @param read the sums, in their order
 */
export function readSums(
  { layers }: Layout,
  sums: ReadonlyArray<PartSum>,
  read: ReadonlyArray<Matrix>,
  closed: ClosedForm | undefined,
): { readonly layers: Factors['layers']; readonly shareOf: (output: number) => ReadonlyArray<Matrix> } {
  const ofLayer = ({ structure }: Layout['layers'][number], layer: number): LayerSums => {
    const found: Record<string, Matrix> = {};
    sums.forEach((sum, i) => {
      if (sum.layer !== layer) return;
      const [before, more] = [found[sum.part], read[i] as Matrix];
      found[sum.part] = before === undefined ? more : plus(before, more);
    });
    return structured(structure, closed?.completed(found) ?? found);
  };
  return { layers: layers.map(ofLayer), shareOf: (output) => read.filter((_, i) => sums[i]?.share === output) };
}
