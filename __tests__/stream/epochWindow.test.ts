/** Which epochs are observed and which count: laws of the three selections, on epochs that tell themselves apart. */
import fc from 'fast-check';
import { categorical, type EpochSelection, emptyFactors, epochsWhere, everyEpoch, type Factors, finalEpochs } from 'tfjs-laplace';
import { type EpochWindow, ruleOf, sumOf } from '../../src/stream/epochWindow.js';

const NOTHING = emptyFactors(
  {
    estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
    likelihood: categorical(),
    layers: [],
    covered: [],
    outputs: 3,
  },
  'f00d',
  [],
);
const WHOLE = 10;

/** Epoch e has log-likelihood 2ᵉ, so that the sum over epochs names them; it moved the weights on. */
const epoch = (e: number, count = WHOLE): Factors => ({
  ...NOTHING,
  fingerprint: `weights ${e}`,
  count,
  datasetSize: count,
  logLikelihood: 2 ** e,
});

const named = (epochs: ReadonlyArray<number>): number => epochs.reduce((sum, e) => sum + 2 ** e, 0);
const upTo = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, e) => e);

interface Run {
  /** Examples of each epoch that runs. */
  readonly counts: ReadonlyArray<number>;
  /** Whether somebody stops training in the last of them. */
  readonly stopped?: boolean;
  readonly announced?: number;
  /** Whether the caller knows of something that may stop training. */
  readonly mayStop?: boolean;
}

/** All windows of a training, one after each observed epoch. */
function windows(selection: EpochSelection, { counts, stopped = false, announced = counts.length, mayStop }: Run): EpochWindow[] {
  const rule = ruleOf(selection, announced, mayStop);
  const all: EpochWindow[] = [];
  for (const [e, count] of counts.entries()) {
    const last = stopped && e === counts.length - 1;
    if (rule.observes(e)) all.push(rule.append(all.at(-1) ?? [], epoch(e, count), last));
  }
  return all;
}

/** The last k epochs of a training that may end at any time. */
const anyTime = (count: number): EpochSelection => finalEpochs(count, { stopsEarly: true });

const total = (selection: EpochSelection, run: Run): Factors | undefined => sumOf(windows(selection, run).at(-1) ?? []);

const length = fc.integer({ min: 1, max: 12 });
const k = fc.integer({ min: 1, max: 15 });
const run = fc.array(fc.integer({ min: 1, max: WHOLE }), { minLength: 1, maxLength: 12 });
/** The same trainings in every run of the tests. */
const check = <A>(property: fc.IProperty<A>): void => fc.assert(property, { seed: 1 });

describe('finalEpochs(k)', () => {
  it('gives the sum of the last k epochs, at the weights of the last, and holds no more than k on the way', () => {
    check(
      fc.property(run, k, (counts, last) => {
        const all = windows(anyTime(last), { counts });
        expect(all.every((window) => window.length <= last)).toBe(true);
        const kept = upTo(counts.length).slice(-last);
        const sum = kept.reduce((n, e) => n + (counts[e] as number), 0);
        expect(sumOf(all.at(-1) as EpochWindow)).toMatchObject({
          logLikelihood: named(kept),
          count: sum,
          datasetSize: Math.max(...kept.map((e) => counts[e] as number)),
          fingerprint: `weights ${counts.length - 1}`,
        });
      }),
    );
  });

  it('gives the same whether it observes every epoch or only those that it keeps', () => {
    check(
      fc.property(run, k, (counts, last) => {
        const few = windows(finalEpochs(last, { stopsEarly: false }), { counts });
        expect(few).toHaveLength(Math.min(last, counts.length));
        expect(sumOf(few.at(-1) as EpochWindow)).toEqual(total(anyTime(last), { counts }));
      }),
    );
  });

  it('of a training that is stopped in the middle of an epoch gives the last k whole epochs', () => {
    check(
      fc.property(length, k, fc.integer({ min: 1, max: WHOLE - 1 }), (n, last, cut) => {
        const counts = [...upTo(n).map(() => WHOLE), cut];
        const found = total(anyTime(last), { counts, stopped: true });
        expect(found).toMatchObject({ logLikelihood: named(upTo(n).slice(-last)), datasetSize: WHOLE });
      }),
    );
  });

  it('of a training that is stopped at the end of an epoch counts that epoch', () => {
    check(
      fc.property(length, k, (n, last) => {
        const counts = upTo(n).map(() => WHOLE);
        expect(total(anyTime(last), { counts, stopped: true })).toEqual(total(anyTime(last), { counts }));
      }),
    );
  });

  it('takes an epoch that was cut short when there is no other', () => {
    expect(total(anyTime(2), { counts: [3], stopped: true })).toMatchObject({ logLikelihood: 1, count: 3 });
  });

  it('without a word about early stopping does what the caller knows of it, and a word wins', () => {
    check(
      fc.property(run, k, fc.boolean(), (counts, last, mayStop) => {
        const said = (stopsEarly: boolean) => windows(finalEpochs(last, { stopsEarly }), { counts });
        expect(windows(finalEpochs(last), { counts, mayStop })).toEqual(said(mayStop));
        expect(windows(finalEpochs(last), { counts })).toEqual(said(false));
        expect(windows(finalEpochs(last, { stopsEarly: true }), { counts, mayStop })).toEqual(said(true));
        expect(windows(finalEpochs(last, { stopsEarly: false }), { counts, mayStop })).toEqual(said(false));
      }),
    );
  });

  it('of a training that is stopped among the last k announced epochs gives the whole ones that it observed', () => {
    const found = total(finalEpochs(3), { counts: [WHOLE, WHOLE, WHOLE, 4], announced: 5, stopped: true });
    expect(found).toMatchObject({ logLikelihood: named([2]), datasetSize: WHOLE });
    const cut = total(finalEpochs(3), { counts: [WHOLE, WHOLE, 4], announced: 5, stopped: true });
    expect(cut).toMatchObject({ logLikelihood: named([2]), datasetSize: 4 });
  });

  it('observes nothing of a training that ends before the epochs that were promised', () => {
    expect(windows(finalEpochs(1), { counts: [WHOLE, WHOLE], announced: 5 })).toEqual([]);
    expect(sumOf([])).toBeUndefined();
  });
});

describe.each<[string, EpochSelection, (e: number) => boolean]>([
  ['everyEpoch()', everyEpoch(), () => true],
  ['epochsWhere', epochsWhere((e) => e % 3 === 1), (e) => e % 3 === 1],
])('%s', (_, selection, chosen) => {
  it.each([false, true])('adds up the epochs that it chooses, whole or not (stopped: %s)', (stopped) => {
    check(
      fc.property(run, (counts) => {
        const all = windows(selection, { counts, stopped });
        expect(all.every((window) => window.length === 1)).toBe(true);
        const kept = upTo(counts.length).filter(chosen);
        const found = sumOf(all.at(-1) ?? []);
        if (kept.length === 0) expect(found).toBeUndefined();
        else expect(found).toMatchObject({ logLikelihood: named(kept), fingerprint: `weights ${kept.at(-1)}` });
      }),
    );
  });
});
