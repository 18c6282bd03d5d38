/** The whole recipe, tiny: run by `run.test.ts`, since Vega comes as ES modules only. */
import '../../../recipes/support/tensorflow.js';
import { memory } from '@tensorflow/tfjs-core';
import { type BackendName, useBackend } from 'tfjs-laplace/plugins/backends';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';
import { analyse } from '../../../recipes/mnist/analysis.js';
import { planFor } from '../../../recipes/mnist/plan.js';
import { createReport } from '../../../recipes/support/report.js';

const [out, how, folder] = process.argv.slice(2) as [string, 'save' | 'pretrained', string];
const plan = {
  ...planFor({ quick: true }),
  hidden: 16,
  training: 600,
  heldOut: 100,
  test: 200,
  epochs: 4,
  batchSize: 32,
  samples: 2,
  sweep: 20,
  sampleCounts: [2, 3],
  temperatures: [0.5, 1],
  sweepSamples: 2,
  rotated: 50,
  angles: [90],
};
const asked = process.env.LAPLACE_BACKEND as BackendName | undefined;
await useBackend(asked ? { prefer: asked } : {});
const before = memory().numTensors;
const progress = terminalProgress({ loudness: 'quiet' });
await analyse({ plan, report: createReport('quiet'), progress, out }, { [how]: folder });
console.log(`tensors left: ${memory().numTensors - before}`);
