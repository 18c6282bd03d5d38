/** `sample`: networks that are drawn from a posterior, as models of TensorFlow.js. */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { concatMap, lastValueFrom, of, toArray } from 'rxjs';
import { sampleModels } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { modelAt } from 'tfjs-laplace/plugins/distributed';
import { loadPosterior, modelFiles, whileUnfinished } from 'tfjs-laplace/plugins/storage';
import { placeOf } from '../data.js';
import { choices, nonNegative, seed, wholeNumber } from '../values.js';
import { type AddCommand, examples } from './types.js';

interface Options {
  readonly model: string;
  readonly out: string;
  readonly samples: number;
  readonly temperature: number;
  readonly seed: number;
  readonly design: 'independent' | 'antithetic' | 'quasiRandom';
}

export const sample: AddCommand = (program, does) => {
  program
    .command('sample <posterior>')
    .summary('draw networks')
    .description(
      'Draws networks from a posterior. Each is a model of TensorFlow.js in a folder of its own: OUT/sample-0, OUT/sample-1, …',
    )
    .requiredOption('--model <place>', 'the trained model: a folder, its model.json, or a URL')
    .requiredOption('--out <folder>', 'where the networks are kept. Folders of these names must not be there yet')
    .option('--samples <number>', 'how many networks', wholeNumber, 10)
    .option('--temperature <number>', 'multiplies the covariance', nonNegative, 1)
    .option('--seed <number>', 'the same seed draws the same networks', seed, 0)
    .option('--design <name>', 'how the networks are related', choices('independent', 'antithetic', 'quasiRandom'), 'independent')
    .addHelpText('after', examples('sample ./posterior --model ./model --samples 5 --out ./networks'))
    .action(
      does<[string], Options>(
        async ({ start, step, result }, { model: place, out, samples, temperature, seed: root, design }, where) => {
          const posterior = await loadPosterior(placeOf(where));
          await start();
          const model = await modelAt(place);
          const folder = out.replace(/^file:\/\//, '');
          const folders = await step('The networks', (onProgress) => {
            const tell = (done: number): void => onProgress({ phase: 'sample', done, total: samples, unit: 'networks' });
            const keep = async (network: LayersModel, s: number): Promise<string> => {
              const own = await kept(network, join(folder, `sample-${s}`));
              tell(s + 1);
              return own;
            };
            return lastValueFrom(
              of(posterior).pipe(sampleModels(model, { samples, temperature, seed: root, design }), concatMap(keep), toArray()),
            );
          });
          result(
            () => folders.join('\n'),
            () => folders,
          );
        },
      ),
    );
};

/** Keeps a network in a folder that is there whole or not at all, and frees it. */
async function kept(network: LayersModel, folder: string): Promise<string> {
  const beside = `${folder}.${randomUUID()}.part`;
  try {
    await whileUnfinished(beside, async () => {
      await network.save(modelFiles(beside));
      await rename(beside, folder);
    });
    return folder;
  } catch (error) {
    throw isTaken(error) ? taken(folder, error) : error;
  } finally {
    network.dispose();
  }
}

const isTaken = (error: unknown): boolean =>
  ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

const taken = (folder: string, cause: unknown) =>
  laplaceError('Storage', {
    what: `Cannot write ${folder}`,
    field: '--out',
    found: 'something of this name',
    expected: 'nothing there',
    remedy: 'Choose another folder, or remove it.',
    cause,
  });
