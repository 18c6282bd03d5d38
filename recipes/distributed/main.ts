/**
 * The pass over MNIST's training digits in shards, on processes of this machine: `npm run distributed`, or `npm run distributed -- --quick`.
 * Prints how far the sum is from that of one pass in this process, and how long both took. Killed in between, it goes on when it is started
 * again: the shards that are there are not computed again.
 *
 *   --workers N   processes; default 2
 *   --quick       use few digits and a small network
 *   --out DIR     folder of the model and of the run; default out/distributed
 *   --quiet       print results only
 */
import '../support/tensorflow.js';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { from, lastValueFrom, tap } from 'rxjs';
import { accumulateFactors, batches, type Factors, kfac, type Matrix, observe } from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { accumulateShards, processEngine, type ShardSum, shardPlan } from 'tfjs-laplace/plugins/distributed';
import { duration, type Loudness, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { loadFactors, modelFiles } from 'tfjs-laplace/plugins/storage';
import { trainingSet } from '../mnist/data.js';
import { slice } from '../mnist/digits.js';
import { createNetwork } from '../mnist/network.js';
import { trainOn } from '../mnist/plainTraining.js';
import { createReport } from '../support/report.js';
import { count } from '../support/table.js';
import { open } from './digits.js';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'out/distributed' },
    quiet: { type: 'boolean', default: false },
  },
});
const plan = values.quick
  ? { hidden: 32, training: 640, examples: 1280, shardSize: 256 }
  : { hidden: 1200, training: 6400, examples: 60_000, shardSize: 4096 };
const BATCH = 128;

const loudness: Loudness = values.quiet ? 'quiet' : 'normal';
const report = createReport(loudness);
const progress = terminalProgress({ loudness });
const { name, reason } = await useBackend();
report.note(`Backend ${name}: ${reason}.`);

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const folder = resolve(values.out);
const model = createNetwork(plan.hidden);
await progress.step(`Training on ${count(plan.training)} digits`, (onProgress) =>
  trainOn(model, slice(trainingSet(), 0, plan.training), { epochs: 1, seed: 0, batchSize: 64 }, (done) =>
    onProgress({ phase: 'train', done, total: 1, unit: 'epochs' }),
  ),
);
await model.save(modelFiles(join(folder, 'model')));

const work = await shardPlan({
  model: join(folder, 'model'),
  likelihood: 'categorical',
  curvature: kfac(),
  data: { module: here('./digits.ts'), dataset: 'MNIST, training', examples: plan.examples },
  batchSize: BATCH,
  shardSize: plan.shardSize,
  where: join(folder, 'run'),
});
const engine = processEngine({
  workers: Number(values.workers),
  backend: name,
  program: here('./worker.ts'),
  nodeArguments: ['--import', 'tsx'],
});
const start = performance.now();
const sum = await progress.step(`${work.shards.length} shards on ${values.workers} processes`, (onProgress) =>
  lastValueFrom(
    accumulateShards(work, engine).pipe(
      tap((event) => {
        if (event._tag === 'progress') onProgress(event);
      }),
    ),
  ),
);
const inShards = performance.now() - start;

const digits = await open({ first: 0, end: plan.examples });
const before = performance.now();
const whole = await progress.step('One pass in this process', (onProgress) =>
  lastValueFrom(
    from(batches(digits, BATCH)).pipe(
      observe(model, 'categorical'),
      accumulateFactors(kfac(), { onProgress, total: Math.ceil(plan.examples / BATCH) }),
    ),
  ),
);
const inOne = performance.now() - before;

const { where, datasetSize, bytes } = sum as ShardSum;
const found = await loadFactors(`file://${where}`);

/** ‖a − b‖ / ‖b‖ of the sums of a layer, in the Frobenius norm. */
function distance(a: Matrix, b: Matrix): number {
  const norm = (numbers: Float64Array): number => Math.sqrt(numbers.reduce((all, v) => all + v * v, 0));
  return norm(a.data.map((v, i) => v - (b.data[i] as number))) / norm(b.data);
}
const sumsOf = ({ layers }: Factors): ReadonlyArray<Matrix> => layers.flatMap(({ parts }) => Object.values(parts) as Matrix[]);
const expected = sumsOf(whole);
const furthest = Math.max(...sumsOf(found).map((own, i) => distance(own, expected[i] as Matrix)));

report.result(`${count(datasetSize)} examples, each once; ${(bytes / 1e6).toFixed(1)} MB in ${where}`);
report.result(`The sums differ from those of one pass by ${furthest.toExponential(1)} at most, relative to their size`);
report.result(`In shards on ${values.workers} processes: ${duration(inShards)}; one pass in this process: ${duration(inOne)}`);
