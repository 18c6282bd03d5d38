/** The whole story, tiny: run by `run.test.ts`, since Vega comes as ES modules only. */
import '../../../recipes/support/tensorflow.js';
import { memory } from '@tensorflow/tfjs-core';
import { type BackendName, useBackend } from 'tfjs-laplace/plugins/backends';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';
import { testSet, trainingSet } from '../../../recipes/mnist/data.js';
import { imagesFor } from '../../../recipes/quality/images.js';
import { planFor } from '../../../recipes/quality/plan.js';
import { tell } from '../../../recipes/quality/tell.js';
import { createReport } from '../../../recipes/support/report.js';

const [out] = process.argv.slice(2) as [string];
const plan = {
  ...planFor({ quick: true }),
  hidden: 16,
  epochs: 6,
  training: 600,
  validation: 100,
  guarantee: 200,
  test: 300,
  foreign: 50,
  risk: 0.1,
  levels: [0.8, 0.9],
  resamples: 3,
};
const asked = process.env.LAPLACE_BACKEND as BackendName | undefined;
await useBackend(asked ? { prefer: asked } : {});
const before = memory().numTensors;
const desk = { report: createReport('normal'), progress: terminalProgress({ loudness: 'quiet' }), out };
await tell(plan, imagesFor(plan, { training: trainingSet(), test: testSet() }), desk);
console.log(`tensors left: ${memory().numTensors - before}`);
