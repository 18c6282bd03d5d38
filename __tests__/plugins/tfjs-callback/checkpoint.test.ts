import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { type EpochSelection, everyEpoch, type Factors, finalEpochs } from 'tfjs-laplace';
import type { KeptEpochs, TrainingCheckpoint } from 'tfjs-laplace/extend';
import { trainingCheckpoint } from 'tfjs-laplace/plugins/storage';
import { type LaplaceCallbackOptions, laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { leftBehind } from '../../support/memory.js';
import { tensor, withFixedWeights } from '../../support/networks.js';

const modelOf = (units = 4): tf.LayersModel => {
  const model = withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.dense({ units, activation: 'tanh', inputShape: [3], name: 'hidden' }),
        tf.layers.dense({ units: 2, name: 'numbers' }),
      ],
    }),
  );
  model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' });
  return model;
};
const [x, y] = [() => tensor([20, 3], 1), () => tensor([20, 2], 2)];
const EPOCHS = 6;

/** A place in memory, and what is there. */
function memory() {
  const state = { kept: undefined as KeptEpochs | undefined, saves: 0 };
  const checkpoint: TrainingCheckpoint = {
    load: async () => state.kept,
    save: async (kept) => {
      state.kept = kept;
      state.saves++;
    },
    clear: async () => {
      state.kept = undefined;
    },
  };
  return { checkpoint, state };
}

interface Fit {
  readonly first?: number;
  readonly options?: Partial<LaplaceCallbackOptions>;
  /** Training throws in this epoch. */
  readonly dies?: number;
}

/** Trains from one epoch to the end, unless it dies before; gives the factors. */
async function run(model: tf.LayersModel, epochs: EpochSelection, { first = 0, options = {}, dies }: Fit): Promise<Factors> {
  const curvature = laplaceCallback({ likelihood: 'gaussian', epochs, ...options });
  const fatal = new tf.CustomCallback({
    onBatchEnd: async (batch) => {
      if (batch === 2 && epoch === dies) throw new Error('power cut');
    },
    onEpochBegin: async (begun) => {
      epoch = begun;
    },
  });
  let epoch = -1;
  const callbacks = [fatal, curvature] as tf.Callback[];
  await model.fit(x(), y(), { epochs: EPOCHS, initialEpoch: first, batchSize: 5, shuffle: false, verbose: 0, callbacks });
  return lastValueFrom(curvature.factors$);
}

const weightsOf = (model: tf.LayersModel): tf.Tensor[] => model.getWeights().map((w) => w.clone());

/** The model as it was at the end of an epoch. */
async function trainedUntil(epoch: number): Promise<tf.LayersModel> {
  const model = modelOf();
  await model.fit(x(), y(), { epochs: epoch + 1, batchSize: 5, shuffle: false, verbose: 0 });
  const again = modelOf();
  again.setWeights(weightsOf(model));
  return again;
}

const SELECTIONS: ReadonlyArray<readonly [string, EpochSelection]> = [
  ['every epoch', everyEpoch()],
  ['the last four epochs', finalEpochs(4)],
  ['the last two epochs that there are', finalEpochs(2, { stopsEarly: true })],
];

describe.each(SELECTIONS)('%s', (_name, epochs) => {
  it('goes on to the factors of a training that was never cut off, bit for bit', async () => {
    const whole = await run(modelOf(), epochs, {});
    for (const dies of [3, 5]) {
      const { checkpoint, state } = memory();
      await expect(run(modelOf(), epochs, { options: { checkpoint }, dies })).rejects.toThrow('power cut');
      expect(state.kept?.epoch).toBe(dies - 1);
      const model = await trainedUntil(dies - 1);
      expect(await run(model, epochs, { first: dies, options: { checkpoint } })).toStrictEqual(whole);
      expect(state.kept).toBeUndefined();
    }
  });
});

it('keeps nothing more than the epochs that may count', async () => {
  const { checkpoint, state } = memory();
  await expect(run(modelOf(), finalEpochs(2, { stopsEarly: true }), { options: { checkpoint }, dies: 4 })).rejects.toThrow();
  expect(state.kept?.window).toHaveLength(2);
  const none = memory();
  await expect(run(modelOf(), finalEpochs(2), { options: { checkpoint: none.checkpoint }, dies: 3 })).rejects.toThrow();
  expect(none.state.saves).toBe(0);
});

describe('refuses', () => {
  const kept = async (): Promise<TrainingCheckpoint> => {
    const { checkpoint } = memory();
    await expect(run(modelOf(), everyEpoch(), { options: { checkpoint }, dies: 3 })).rejects.toThrow('power cut');
    return checkpoint;
  };

  it('another epoch, other weights and another curvature, before training begins', async () => {
    const checkpoint = await kept();
    const model = await trainedUntil(2);
    const before = weightsOf(model).map((w) => w.arraySync());
    const options = { checkpoint };
    await expect(run(model, everyEpoch(), { options })).rejects.toMatchObject({ kind: 'Mismatch', field: 'initialEpoch' });
    await expect(run(model, everyEpoch(), { first: 4, options })).rejects.toMatchObject({ field: 'initialEpoch' });
    await expect(run(modelOf(), everyEpoch(), { first: 3, options })).rejects.toMatchObject({ field: 'fingerprint' });
    await expect(run(model, everyEpoch(), { first: 3, options: { checkpoint, curvature: 'diagonal' } })).rejects.toMatchObject({
      kind: 'Mismatch',
      field: expect.stringContaining('layout'),
    });
    expect(weightsOf(model).map((w) => w.arraySync())).toEqual(before);
    // Nothing is left attached: the model trains as any other.
    expect((await run(model, everyEpoch(), { first: 3, options })).count).toBe(20 * EPOCHS);
  });

  it('what is no checkpoint', async () => {
    const wrong = { ...memory().checkpoint, load: async () => ({ epoch: 0, window: [3] }) as unknown as KeptEpochs };
    await expect(run(modelOf(), everyEpoch(), { first: 1, options: { checkpoint: wrong } })).rejects.toMatchObject({
      kind: 'InvalidInput',
    });
    expect(() => laplaceCallback({ likelihood: 'gaussian', checkpoint: { every: 3 } as never })).toThrow(
      expect.objectContaining({ kind: 'InvalidOption' }),
    );
  });
});

it('lets training go on when a checkpoint cannot be written', async () => {
  const model = modelOf();
  const checkpoint = { ...memory().checkpoint, save: () => Promise.reject(new Error('no room')) };
  const curvature = laplaceCallback({ likelihood: 'gaussian', epochs: everyEpoch(), checkpoint });
  await model.fit(x(), y(), { epochs: 2, batchSize: 5, shuffle: false, verbose: 0, callbacks: curvature });
  await expect(lastValueFrom(curvature.factors$)).rejects.toThrow('no room');
  const plain = modelOf();
  await plain.fit(x(), y(), { epochs: 2, batchSize: 5, shuffle: false, verbose: 0 });
  expect(model.getWeights().map((w) => w.arraySync())).toEqual(plain.getWeights().map((w) => w.arraySync()));
});

it('frees what it makes', async () => {
  const model = modelOf();
  const data = [x(), y()] as const;
  const once = async () => {
    const curvature = laplaceCallback({ likelihood: 'gaussian', epochs: everyEpoch(), checkpoint: memory().checkpoint });
    await model.fit(...data, { epochs: 2, batchSize: 5, verbose: 0, callbacks: curvature });
  };
  await once();
  expect(await leftBehind(once)).toEqual({ tensors: 0, bytes: 0 });
});

describe('on disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'laplace-training-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('goes on bit for bit, and leaves nothing at the end', async () => {
    const epochs = finalEpochs(2, { stopsEarly: true });
    const whole = await run(modelOf(), epochs, {});
    const options = () => ({ checkpoint: trainingCheckpoint(`file://${folder}`) });
    await expect(run(modelOf(), epochs, { options: options(), dies: 4 })).rejects.toThrow('power cut');
    const files = ['epoch-3-0', 'epoch-3-1'].flatMap((name) => [`${name}.json`, `${name}.safetensors`]);
    expect(readdirSync(folder).sort()).toEqual([...files, 'training.json']);
    expect(await run(await trainedUntil(3), epochs, { first: 4, options: options() })).toStrictEqual(whole);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps the former epochs when new ones cannot be written', async () => {
    const epochs = finalEpochs(2, { stopsEarly: true });
    const checkpoint = trainingCheckpoint(`file://${folder}`);
    await expect(run(modelOf(), epochs, { options: { checkpoint }, dies: 3 })).rejects.toThrow('power cut');
    const before = await checkpoint.load();
    // A folder stands where the second file should go.
    mkdirSync(join(folder, 'epoch-3-1.safetensors'));
    await expect(run(await trainedUntil(2), epochs, { first: 3, options: { checkpoint } })).rejects.toMatchObject({
      kind: 'Storage',
    });
    expect(await checkpoint.load()).toStrictEqual(before);
    expect(before?.epoch).toBe(2);
  });

  it('says what is no index, and which places there are', async () => {
    writeFileSync(join(folder, 'training.json'), '{"epoch":1}');
    await expect(trainingCheckpoint(`file://${folder}`).load()).rejects.toMatchObject({ kind: 'InvalidFile' });
    writeFileSync(join(folder, 'training.json'), '{');
    await expect(trainingCheckpoint(`file://${folder}`).load()).rejects.toMatchObject({ kind: 'InvalidFile' });
    for (const place of ['indexeddb://a', folder]) {
      expect(() => trainingCheckpoint(place)).toThrow(expect.objectContaining({ kind: 'InvalidOption', field: 'where' }));
    }
    expect(() => trainingCheckpoint(`file://${folder}`, { every: 3 } as never)).toThrow('no such key');
  });
});
