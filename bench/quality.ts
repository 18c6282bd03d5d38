/**
 * How good the tuned predictives are, against the trained network with its best temperature and against other baselines: on MNIST with two
 * perceptrons and a LeNet, on foreign images, and in regression. Means and standard errors are over seeds.
 *
 * Bars: see `quality/perceptrons.ts`, `quality/lenet.ts`, `quality/regression.ts` and `quality/tuningTime.ts`. There is none on winning the table of baselines.
 */
import type { BenchResult } from './harness.js';
import { lenet } from './quality/lenet.js';
import { largePerceptron, smallPerceptron } from './quality/perceptrons.js';
import { regression } from './quality/regression.js';
import { type Part, tell } from './quality/scores.js';
import { tuningTime } from './quality/tuningTime.js';

const SEEDS = [1, 2, 3, 4, 5];

const PARTS: Readonly<Record<string, () => Promise<Part>>> = {
  small: () => smallPerceptron(SEEDS),
  large: () => largePerceptron(SEEDS),
  lenet: () => lenet(SEEDS),
  regression: () => regression(SEEDS),
  time: tuningTime,
};

export const parts = Object.keys(PARTS);

export async function bench(only?: string): Promise<BenchResult> {
  const [rows, found] = [[] as Array<BenchResult['rows'][number]>, [] as Part[]];
  for (const [name, run] of Object.entries(PARTS)) {
    if (only !== undefined && name !== only) continue;
    const start = performance.now();
    found.push(await run());
    rows.push({ name: `${name}, all seeds`, ms: performance.now() - start });
    tell(`${name}: done`);
  }
  return {
    rows,
    tables: found.flatMap(({ tables }) => tables),
    bars: found.flatMap(({ bars }) => bars),
    notes: [...found.flatMap(({ notes }) => notes), '± is one standard error over the seeds.'],
  };
}
