/** Where a value of the DSL belongs, its shorthand and a whole recipe do too: the results are the same. */
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  coverage,
  ekfac,
  expectedTime,
  factoredDamping,
  isotropic,
  kfac,
  observe,
  type Posterior,
  predict,
  recipe,
  sampleModels,
  toPosterior,
  weightSampling,
  withDamping,
  withPrior,
} from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
const model = chain(classes);
const data = dataOf(classes, 6);
const whole = recipe({
  likelihood: 'categorical',
  curvature: 'ekfac',
  prior: 3,
  damping: 'factored',
  predictive: 'weightSampling',
});
let posterior: Posterior;
beforeAll(async () => {
  posterior = await lastValueFrom(
    from(batches(data, 4)).pipe(
      observe(model, classes.likelihood),
      accumulateFactors(ekfac()),
      toPosterior({ prior: isotropic(3), damping: factoredDamping() }),
    ),
  );
});

it('makes the same posterior', async () => {
  const short = from(batches(data, 4)).pipe(
    observe(model, 'categorical'),
    accumulateFactors('ekfac'),
    toPosterior({ prior: 3, damping: 'factored' }),
  );
  expect(await lastValueFrom(short)).toEqual(posterior);
  const cooked = from(batches(data, 4)).pipe(observe(model, whole), accumulateFactors(whole), toPosterior(whole));
  expect(await lastValueFrom(cooked)).toEqual(posterior);
});

it('takes options beside a recipe, and refuses what is neither', async () => {
  const beside = from(batches(data, 4)).pipe(
    observe(model, whole),
    accumulateFactors(whole),
    toPosterior({ ...whole, priorPrecision: 7 }),
  );
  expect((await lastValueFrom(beside)).layers.map(({ priorPrecision }) => priorPrecision)).toEqual([7, 7]);
  expect(() => toPosterior({ ...whole, priorPrecison: 7 } as object)).toThrow("did you mean 'priorPrecision'?");
});

it('predicts the same', async () => {
  const ofEach = await Promise.all(
    ([weightSampling(), 'weightSampling', whole] as const).map((predictive) =>
      lastValueFrom(of(data.x).pipe(predict(model, posterior, predictive))),
    ),
  );
  expect(ofEach[1]).toEqual(ofEach[0]);
  expect(ofEach[2]).toEqual(ofEach[0]);
});

it('accumulates Kronecker factors without an argument', async () => {
  const source = from(batches(data, 4)).pipe(observe(model, 'categorical'));
  const [given, left] = await Promise.all([
    lastValueFrom(source.pipe(accumulateFactors(kfac()))),
    lastValueFrom(source.pipe(accumulateFactors())),
  ]);
  expect(left).toEqual(given);
});

it('changes prior and damping', () => {
  expect(right(withPrior(posterior, 5))).toEqual(right(withPrior(posterior, isotropic(5))));
  expect(withDamping(posterior, 'factored')).toEqual(withDamping(posterior, factoredDamping()));
});

it('is asked about before the pass', async () => {
  const values = coverage(model, { likelihood: classes.likelihood, curvature: ekfac() });
  expect(coverage(model, { likelihood: 'categorical', curvature: 'ekfac' })).toEqual(values);
  expect(coverage(model, whole)).toEqual(values);
  expect((await expectedTime(model, { ...whole, examples: 4, batch: 2, engine: 'javascript' })).pass).toBeGreaterThan(0);
});

it('has no shorthand where a recipe has nothing to say', () => {
  expect(() => sampleModels(model, whole as object)).toThrow(/no such key/);
});
