/** Networks drawn from a posterior: the same for a seed, independent of each other, and freed by whoever has them. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, type OperatorFunction, of, Subject, take, toArray } from 'rxjs';
import { type Matrix, mapSamples, type Posterior, type SampleOptions, sampleModels, toPosterior, variances } from 'tfjs-laplace';
import { expectRefusal, expectRejection, rejection } from '../support/errors.js';
import { distance, pass } from '../support/factors.js';
import { right } from '../support/math/laplace.js';
import { expectNoLeak, leftBehind, settled, turn } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair, withFixedWeights } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let posterior: Posterior;
let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(async () => {
  model = chain(classes);
  data = dataOf(classes, 10);
  posterior = await lastValueFrom(of(await pass(model, classes.likelihood, data)).pipe(toPosterior()));
});

const weightsOf = (network: tf.LayersModel): number[] => network.getWeights().flatMap((w) => Array.from(w.dataSync()));
const through = <R>(operator: OperatorFunction<Posterior, R>, from = posterior): Promise<R[]> =>
  lastValueFrom(of(from).pipe(operator, toArray()));

/** Weights of the networks of `sampleModels`, which are disposed. */
async function drawn(options: SampleOptions = {}, own = model): Promise<number[][]> {
  const members = await through(sampleModels(own, options));
  return members.map((member) => {
    const weights = weightsOf(member);
    member.dispose();
    return weights;
  });
}

/** Both forms, giving the weights of each draw. */
const FORMS: ReadonlyArray<[string, (options?: SampleOptions, own?: tf.LayersModel) => Promise<number[][]>]> = [
  ['sampleModels', drawn],
  ['mapSamples', (options = {}, own = model) => through(mapSamples(own, options, weightsOf))],
];

it.each<[string, SampleOptions, string]>([
  ['0 networks', { samples: 0 }, 'samples'],
  ['half a network', { samples: 1.5 }, 'samples'],
  ['NaN networks', { samples: Number.NaN }, 'samples'],
  ['a negative temperature', { temperature: -1 }, 'temperature'],
  ['a temperature of NaN', { temperature: Number.NaN }, 'temperature'],
  ['an infinite temperature', { temperature: Infinity }, 'temperature'],
  ['a negative seed', { seed: -1 }, 'seed'],
  ['half a seed', { seed: 0.5 }, 'seed'],
  ['another design', { design: 'sobol' as 'antithetic' }, 'design'],
])('refuses %s when the operator is made', (_, options, field) => {
  expectRefusal(() => sampleModels(model, options), field);
  expectRefusal(() => mapSamples(model, options, weightsOf), field);
});

describe.each(FORMS)('%s', (_, draws) => {
  it('draws 10 networks unless told otherwise', async () => {
    const all = await draws();
    expect(all).toHaveLength(10);
    expect(new Set(all.map(String)).size).toBe(10);
  });

  it('draws the same for the same seed, and others for another', async () => {
    const [a, b, c] = [await draws({ seed: 7 }), await draws({ seed: 7 }), await draws({ seed: 8 })];
    expect(b).toEqual(a);
    for (const [i, weights] of c.entries()) expect(weights).not.toEqual(a[i]);
  });

  it('draws sample s of a seed whatever the number of samples', async () => {
    const five = await draws({ samples: 5, seed: 3 });
    expect(await draws({ samples: 2, seed: 3 })).toEqual(five.slice(0, 2));
  });

  it('scales deviations with the root of the temperature, to nothing at 0', async () => {
    const mean = weightsOf(model);
    const deviations = async (temperature: number) =>
      ((await draws({ samples: 1, temperature }))[0] as number[]).map((w, i) => w - (mean[i] as number));
    expect(await draws({ samples: 1, temperature: 0 })).toEqual([mean]);
    // A weight of size 1 rounds by 2⁻²⁴, the deviations are of that size too.
    expect(
      distance(
        (await deviations(4)).map((d) => d / 2),
        await deviations(1),
      ),
    ).toBeLessThan(2e-6);
  });

  it('refuses a model of other weights, and one that is disposed', async () => {
    const other = withFixedWeights(chain(classes), 20);
    await expectRejection(draws({}, other), 'Mismatch', { field: 'fingerprint' });
    other.dispose();
    await expectRejection(draws({}, other), 'InvalidModel');
  });

  it('leaves the model alone', async () => {
    const before = weightsOf(model);
    await draws({ samples: 3 });
    expect(weightsOf(model)).toEqual(before);
  });
});

it('both forms draw the same networks', async () => {
  const [[, models], [, maps]] = FORMS as [(typeof FORMS)[number], (typeof FORMS)[number]];
  expect(await maps({ samples: 3, seed: 5 })).toEqual(await models({ samples: 3, seed: 5 }));
});

it('draws weights with the moments of the posterior', async () => {
  const count = 400;
  const draws = await through(
    mapSamples(model, { samples: count, seed: 1 }, (m) => Array.from((m.getWeights()[2] as tf.Tensor).dataSync())),
  );
  const layer = posterior.layers[1] as (typeof posterior.layers)[number];
  // Variance of W_ij = Σ_kl (U_A)_ik² S²_kl (U_G)_jl².
  if (layer.structure !== 'kronecker') throw new Error('expected two factors');
  const { inputVectors, gradientVectors } = layer.parts;
  const [U, V, S] = [inputVectors as Matrix, gradientVectors as Matrix, right(variances(posterior, layer))];
  const variance = (i: number, j: number): number => {
    let sum = 0;
    for (let k = 0; k < layer.n; k++) {
      for (let l = 0; l < layer.m; l++) {
        sum +=
          (U.data[i * layer.n + k] as number) ** 2 *
          (S.data[k * layer.m + l] as number) *
          (V.data[j * layer.m + l] as number) ** 2;
      }
    }
    return sum;
  };
  for (let i = 0; i < layer.n - 1; i++) {
    for (let j = 0; j < layer.m; j++) {
      const values = draws.map((d) => d[i * layer.m + j] as number);
      const mean = values.reduce((a, b) => a + b, 0) / count;
      const spread = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (count - 1);
      const sigma = Math.sqrt(variance(i, j));
      // Standard errors: σ/√n of the mean, √(2/n) of the relative variance. 15 entries, 4.5 of them: one false alarm in 5000 seeds.
      expect(Math.abs(mean - (layer.mean.data[i * layer.m + j] as number))).toBeLessThan((4.5 * sigma) / Math.sqrt(count));
      expect(Math.abs(spread / sigma ** 2 - 1)).toBeLessThan(4.5 * Math.sqrt(2 / count));
    }
  }
});

describe('the networks of sampleModels', () => {
  it('are models of their own that predict', async () => {
    const [a, b] = (await through(sampleModels(model, { samples: 2 }))) as [tf.LayersModel, tf.LayersModel];
    const weights = weightsOf(b);
    const { x, y } = data;
    a.compile({ optimizer: 'sgd', loss: classes.loss as string });
    await a.fit(x, y, { epochs: 1, verbose: 0 });
    a.dispose();
    expect(weightsOf(b)).toEqual(weights);
    expect((b.predict(x) as tf.Tensor).shape).toEqual([10, 3]);
    expect((model.predict(x) as tf.Tensor).shape).toEqual([10, 3]);
    b.dispose();
  });

  it('have all they need: disposing them frees everything', async () => {
    const left = async () => {
      for (const member of await through(sampleModels(model, { samples: 3 }))) member.dispose();
    };
    await left();
    expect(await leftBehind(left)).toEqual({ tensors: 0, bytes: 0 });
  });

  it('keep the layers at their MAP that the posterior does not cover', async () => {
    const factors = await pass(model, classes.likelihood, data);
    const last = await lastValueFrom(of(factors).pipe(toPosterior({ layers: 'last' })));
    const [[member]] = [await through(sampleModels(model, { samples: 1 }), last)];
    const at = (m: tf.LayersModel, i: number) => Array.from(m.getWeights()[i]?.dataSync() as Float32Array);
    expect([0, 1].map((i) => at(member as tf.LayersModel, i))).toEqual([0, 1].map((i) => at(model, i)));
    expect([2, 3].map((i) => at(member as tf.LayersModel, i))).not.toEqual([2, 3].map((i) => at(model, i)));
    member?.dispose();
  });

  it('come from functional and nested models too', async () => {
    const input = tf.input({ shape: [INPUTS] });
    const inner = tf.sequential({ layers: [tf.layers.dense({ units: 5, inputShape: [INPUTS], activation: 'relu' })] });
    const h = inner.apply(input) as tf.SymbolicTensor;
    const both = tf.layers.concatenate().apply([h, input]) as tf.SymbolicTensor;
    const outputs = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor;
    const own = withFixedWeights(tf.model({ inputs: input, outputs }));
    const theirs = await lastValueFrom(of(await pass(own, classes.likelihood, data)).pipe(toPosterior()));
    const members = await lastValueFrom(of(theirs).pipe(sampleModels(own, { samples: 2 }), toArray()));
    for (const member of members) expect((member.predict(data.x) as tf.Tensor).shape).toEqual([10, 3]);
    expect(weightsOf(members[0] as tf.LayersModel)).not.toEqual(weightsOf(own));
  });

  it('cannot come from a layer that tfjs does not know by name', async () => {
    class Doubling extends tf.layers.Layer {
      static className = 'Doubling';
      override call(inputs: tf.Tensor | tf.Tensor[]) {
        return tf.mul(Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs, 2);
      }
    }
    const own = tf.sequential({
      layers: [new Doubling({ inputShape: [INPUTS] } as never), tf.layers.dense({ units: 3, activation: 'softmax' })],
    });
    withFixedWeights(own);
    const theirs = await lastValueFrom(of(await pass(own, classes.likelihood, data)).pipe(toPosterior()));
    const run = () => through(sampleModels(own), theirs);
    await expectRejection(run(), 'InvalidModel');
    await expectNoLeak(() => rejection(run()));
  });
});

describe('without end', () => {
  it('goes on until there are enough', async () => {
    await expectNoLeak(async () => {
      const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: Infinity }), take(3), toArray()));
      expect(members).toHaveLength(3);
      for (const member of members) member.dispose();
    });
    await expectNoLeak(() =>
      lastValueFrom(
        of(posterior).pipe(
          mapSamples(model, { samples: Infinity }, () => 1),
          take(3),
        ),
      ),
    );
  });

  it('frees the network in the making when nobody listens any more', async () => {
    // A copy takes some turns of the promise queue: whichever of them is the last, nothing stays.
    const leaveAfter = (turns: number) => async () => {
      const subscription = of(posterior)
        .pipe(sampleModels(model, { samples: Infinity }))
        .subscribe((member) => member.dispose());
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      subscription.unsubscribe();
    };
    await leaveAfter(1)();
    await settled();
    expect(
      await leftBehind(async () => {
        for (let turns = 0; turns < 150; turns += 3) await leaveAfter(turns)();
      }),
    ).toEqual({ tensors: 0, bytes: 0 });
  });

  it('lets other work go on, and stops when nobody listens any more', async () => {
    let emitted = 0;
    const subscription = of(posterior)
      .pipe(mapSamples(model, { samples: Infinity }, () => ++emitted))
      .subscribe();
    // A timer has its turn while networks are being drawn.
    while (emitted === 0) await turn();
    subscription.unsubscribe();
    await settled();
    const then = emitted;
    await settled();
    expect(emitted).toBe(then);
  });
});

describe('mapSamples', () => {
  it('has one copy at a time in hand: the next draw waits, and it is gone in the end', async () => {
    const seen = new Set<tf.LayersModel>();
    let working = 0;
    const project = async (sample: tf.LayersModel, index: number): Promise<number> => {
      seen.add(sample);
      working += 1;
      expect(working).toBe(1);
      await settled();
      working -= 1;
      return index;
    };
    expect(await through(mapSamples(model, { samples: 3 }, project))).toEqual([0, 1, 2]);
    expect(seen.size).toBe(1);
    const [copy] = [...seen] as [tf.LayersModel];
    expect(() => copy.getWeights()).toThrow('disposed');
  });

  it.each<[string, (boom: Error) => () => unknown]>([
    [
      'throws',
      (boom) => () => {
        throw boom;
      },
    ],
    ['rejects', (boom) => () => Promise.reject(boom)],
  ])('fails with a project that %s', async (_, project) => {
    const boom = new Error('boom');
    const run = () => rejection(through(mapSamples(model, { samples: 3 }, project(boom))));
    expect(await run()).toBe(boom);
    await expectNoLeak(run);
  });
});

describe('switches over to a new posterior', () => {
  it.each([
    [
      'sampleModels',
      (seen: number[][]) => (source: Subject<Posterior>) =>
        source.pipe(sampleModels(model, { samples: 2 })).subscribe((member) => {
          seen.push(weightsOf(member));
          member.dispose();
        }),
    ],
    [
      'mapSamples',
      (seen: number[][]) => (source: Subject<Posterior>) =>
        source.pipe(mapSamples(model, { samples: 2 }, weightsOf)).subscribe((weights) => void seen.push(weights)),
    ],
  ] as const)('%s', async (_, listen) => {
    const colder = await lastValueFrom(
      of(await pass(model, classes.likelihood, data)).pipe(toPosterior({ priorPrecision: 1e6 })),
    );
    const seen: number[][] = [];
    const source = new Subject<Posterior>();
    await expectNoLeak(async () => {
      seen.length = 0;
      const subscription = listen(seen)(source);
      source.next(posterior);
      source.next(colder);
      await settled();
      await settled();
      subscription.unsubscribe();
    });
    expect(seen).toEqual(await through(mapSamples(model, { samples: 2 }, weightsOf), colder));
  });
});

it('fails when the model is disposed half-way', async () => {
  const own = chain(classes);
  const theirs = await lastValueFrom(of(await pass(own, classes.likelihood, data)).pipe(toPosterior()));
  const run = through(
    mapSamples(own, { samples: 5 }, (_, s) => {
      if (s === 1) own.dispose();
    }),
    theirs,
  );
  await expectRejection(run, 'InvalidModel');
});
