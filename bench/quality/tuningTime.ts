/**
 * What `tune` costs in predictive passes over the same 1,000 images: the times do not depend on the weights, so the networks are not
 * trained. Bar 5 of the plan.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  type Curvature,
  categorical,
  kfac,
  observe,
  predict,
  toPosterior,
  truncated,
  tune,
} from 'tfjs-laplace';
import { createLenet } from '../../recipes/lenet/network.js';
import { createNetwork } from '../../recipes/mnist/network.js';
import { time } from '../harness.js';
import { allClasses, inputs, labelled } from './images.js';
import type { Part } from './scores.js';

const ROUNDS = 5;
const SIZES = { training: 1000, validation: 1000, test: 0, foreign: 0 };

/** The most passes that a number of candidates may take. */
const MOST: ReadonlyArray<readonly [candidates: number, passes: number]> = [
  [30, 5],
  [5, 2],
];

interface Subject {
  readonly name: string;
  readonly model: () => LayersModel;
  readonly curvature: Curvature;
  /** Whether it has bars. */
  readonly isBarred: boolean;
}

const SUBJECTS: ReadonlyArray<Subject> = [
  { name: '784-256-256-10', model: () => createNetwork(256), curvature: kfac(), isBarred: true },
  { name: 'LeNet', model: () => createLenet({ seed: 1 }), curvature: kfac({ fisher: truncated() }), isBarred: true },
  // A pass is a forward pass alone here. What tune does on the host weighs more.
  { name: '784-256-256-10, last layer', model: () => createNetwork(256), curvature: kfac({ layers: 'last' }), isBarred: false },
];

const precisions = (count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, k) => 10 ** (-1 + (5 * k) / (count - 1)));

async function measured({ model: build, curvature }: Subject): Promise<(name: string) => number> {
  const { training, validation } = allClasses(1, SIZES);
  const model = build();
  const posterior = await lastValueFrom(
    from(labelled(training)).pipe(observe(model, categorical()), accumulateFactors(curvature), toPosterior()),
  );
  const found = await time(
    [
      { name: 'pass', run: async () => void (await lastValueFrom(from(inputs(validation)).pipe(predict(model, posterior)))) },
      ...MOST.map(([count]) => ({
        name: String(count),
        run: async () => void (await tune(model, posterior, labelled(validation), { precisions: precisions(count) })),
      })),
    ],
    ROUNDS,
    1,
  );
  model.dispose();
  return (name) => found.get(name) as number;
}

export async function tuningTime(): Promise<Part> {
  const [rows, bars] = [[] as string[][], [] as Array<Part['bars'][number]>];
  for (const subject of SUBJECTS) {
    const ms = await measured(subject);
    rows.push([
      subject.name,
      `${ms('pass').toFixed(0)} ms`,
      ...MOST.map(([count]) => (ms(String(count)) / ms('pass')).toFixed(2)),
    ]);
    if (!subject.isBarred) continue;
    for (const [count, passes] of MOST) {
      const value = ms(String(count)) / ms('pass');
      bars.push({
        name: `5. ${subject.name}: passes that tune takes for ${count} precisions`,
        value,
        limit: passes,
        atMost: true,
      });
    }
  }
  const head = ['1,000 images', 'a predictive pass', ...MOST.map(([count]) => `tune of ${count}, in passes`)];
  return { tables: [{ title: 'The time of tune, medians of five', head, rows }], bars, notes: [] };
}
