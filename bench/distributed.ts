/**
 * A pass in shards against one pass: 784-1200-1200-10, exact Fisher, 16 shards one after another in this process, each written to its file.
 * Merging the files against reading and hashing them. Memory while 4 and while 64 files are merged, each in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, kfac, observe, type TensorData } from 'tfjs-laplace';
import { localEngine, runName, shardPlan } from 'tfjs-laplace/plugins/distributed';
import { loadFactors, mergeFactorsFiles, modelFiles, readBytes, saveFactors } from 'tfjs-laplace/plugins/storage';
import { createNetwork } from '../recipes/mnist/network.js';
import { type BenchResult, type Subject, time } from './harness.js';

const SHARDS = 16;
/** A sixteenth of MNIST, in whole batches. */
const SHARD = 3840;
const BATCH = 128;
const N = SHARDS * SHARD;

const ROUNDS = 3;

export async function bench(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'laplace-bench-'));
  try {
    return await measured((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Random images: one shard's, over and over. Where the numbers come from does not count. */
const pixels = (): TensorData => ({
  x: tf.randomUniform([SHARD, 784], 0, 1, 'float32', 3),
  y: tf.randomUniform([SHARD], 0, 10, 'int32', 4),
});

async function measured(at: (name: string) => string): Promise<BenchResult> {
  const model = createNetwork(1200);
  await model.save(modelFiles(at('model')));
  const data = pixels();
  const every = Array.from({ length: SHARDS }, () => batches(data, BATCH)).flat();
  const plan = await shardPlan({
    model: at('model'),
    likelihood: 'categorical',
    data: { module: 'none', dataset: 'random', examples: N },
    batchSize: BATCH,
    shardSize: SHARD,
    where: at('run-0'),
  });
  let run = 0;
  const engine = localEngine({ open: pixels });
  const shards = async (): Promise<void> => {
    const own = { ...plan, where: at(`run-${++run}`) };
    await lastValueFrom(engine.sum(own, [...plan.shards.keys()]));
  };
  const onePass = async (): Promise<void> => {
    const factors = await lastValueFrom(from(every).pipe(observe(model, 'categorical'), accumulateFactors(kfac())));
    await saveFactors(factors, `file://${at('one.safetensors')}`);
  };
  const passes: ReadonlyArray<Subject> = [
    { name: 'one pass, and its file', run: onePass },
    { name: `${SHARDS} shards one after another, and their files`, run: shards },
  ];
  const passTimes = await time(passes, 2, 1);

  const files = plan.shards.map((_, i) =>
    join(at(`run-${run}`), runName(plan), `shard-${String(i).padStart(5, '0')}.safetensors`),
  );
  const merging: ReadonlyArray<Subject> = [
    {
      name: `reading and hashing ${SHARDS} files`,
      run: async () => {
        for (const file of files)
          createHash('sha256')
            .update(await readBytes(file))
            .digest();
      },
    },
    {
      name: `merging ${SHARDS} files`,
      run: async () =>
        void (await mergeFactorsFiles(
          files.map((file) => `file://${file}`),
          `file://${at('sum.safetensors')}`,
        )),
    },
  ];
  const mergeTimes = await time(merging, ROUNDS, 1);
  const [few, many] = await memoryOf(files, at);
  const ms = (subject: Subject | undefined): number =>
    (passTimes.get(subject?.name ?? '') ?? mergeTimes.get(subject?.name ?? '')) as number;
  const MiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const { length } = await readBytes(files[0] as string);
  return {
    rows: [...passes, ...merging].map((subject) => ({ name: subject.name, ms: ms(subject) })),
    notes: [`a file has ${MiB(length)}; resident set while 4 files are merged ${MiB(few)}, 64 files ${MiB(many)}`],
    bars: [
      { name: `${SHARDS} shards / one pass`, value: ms(passes[1]) / ms(passes[0]), limit: 1.15, atMost: true },
      { name: 'merging / reading and hashing', value: ms(merging[1]) / ms(merging[0]), limit: 3, atMost: true },
      { name: 'resident set, 64 files / 4 files', value: many / few, limit: 1.1, atMost: true },
    ],
  };
}

/** The largest resident set of processes that merge 4 and 64 files, in bytes. */
async function memoryOf(files: ReadonlyArray<string>, at: (name: string) => string): Promise<readonly [number, number]> {
  const first = files[0] as string;
  const factors = await loadFactors(`file://${first}`);
  const { parts: _, ...nameless } = factors;
  await saveFactors(nameless, `file://${at('nameless.safetensors')}`);
  const most = (count: number): number => {
    const names = Array.from({ length: count }, (__, i) => {
      const name = at(`copy-${i}.safetensors`);
      copyFileSync(at('nameless.safetensors'), name);
      return `file://${name}`;
    });
    const program = `
      import { mergeFactorsFiles } from 'tfjs-laplace/plugins/storage';
      await mergeFactorsFiles(${JSON.stringify(names)}, 'file://${at('all.safetensors')}');
      console.log(process.resourceUsage().maxRSS * 1024);
    `;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n').at(-1));
  };
  return [most(4), most(64)];
}
