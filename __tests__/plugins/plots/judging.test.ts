/** What the pictures of metrics show, as values: Vega itself runs in `drawing.test.ts`. */
import { aupr, auroc, orThrow, precisionRecall, riskCoverage, rocCurve } from 'tfjs-laplace';
import { precisionRecallSpec, rocSpec } from '../../../plugins/plots/detection.js';
import { binomialRange, pitRows, pitSpec } from '../../../plugins/plots/pit.js';
import { riskCoverageSpec } from '../../../plugins/plots/riskCoverage.js';
import { setSizeRows, setSizesSpec } from '../../../plugins/plots/setSizes.js';
import { thinned } from '../../../plugins/plots/thinned.js';

/** A specification as Vega gets it. */
// biome-ignore lint/suspicious/noExplicitAny: a specification has many shapes, and the tests look at a few of their fields.
const plainOf = (spec: unknown): any => JSON.parse(JSON.stringify(spec));

interface Row {
  readonly name: string;
  readonly line: string;
  readonly x: number;
  readonly y: number;
}

const rounded = (v: number) => Math.round(4 * v) / 4;
const wave = (n: number, shift: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1)) + shift);
/** Scores with ties, so that the curves have slanting pieces. */
const groups = { positives: wave(300, 0.4).map(rounded), negatives: wave(200, 0).map(rounded) };

describe('curves of detectors', () => {
  it('have the areas of the library in their legend', () => {
    const roc = plainOf(rocSpec({ title: 't', series: [{ name: 'a', curve: orThrow(rocCurve(groups)) }] }));
    expect(roc.layer.at(-1).encoding.color.scale.domain).toEqual([`a: AUROC ${orThrow(auroc(groups)).toFixed(3)}`]);
    const recall = plainOf(precisionRecallSpec({ title: 't', series: [{ name: 'a', curve: orThrow(precisionRecall(groups)) }] }));
    expect(recall.layer.at(-1).encoding.color.scale.domain).toEqual([`a: AUPR ${orThrow(aupr(groups)).toFixed(3)}`]);
  });

  it('begin and end where the curves do, in their order', () => {
    const curve = { falsePositiveRate: [0, 0, 0.5, 0.5, 1], truePositiveRate: [0, 0.5, 0.5, 1, 1] };
    const { layer } = plainOf(rocSpec({ title: 't', series: [{ name: 'a', curve }] }));
    expect(layer[1].mark.order).toBe(false);
    expect(layer[1].data.values.map(({ x, y }: Row) => [x, y])).toEqual([
      [0, 0],
      [0, 0.5],
      [0.5, 0.5],
      [0.5, 1],
      [1, 1],
    ]);
  });

  it('show chance: the diagonal, or the share of positives of each series once', () => {
    const values = (spec: unknown) =>
      plainOf(spec)
        .layer.slice(0, -1)
        .map(({ data }: { data: { values: Row[] } }) => data.values.map(({ x, y }) => [x, y]));
    const roc = { falsePositiveRate: [0, 1], truePositiveRate: [0, 1] };
    expect(values(rocSpec({ title: 't', series: [{ name: 'a', curve: roc }] }))).toEqual([
      [
        [0, 0],
        [1, 1],
      ],
    ]);
    const curve = { precision: [1, 0.25], recall: [0.5, 1] };
    const series = ['a', 'b'].map((name) => ({ name, curve }));
    expect(values(precisionRecallSpec({ title: 't', series }))).toEqual([
      [
        [0, 0.25],
        [1, 0.25],
      ],
    ]);
  });

  it('draw precision as steps that begin at recall 0', () => {
    const curve = { precision: [1, 0.5], recall: [0.5, 1] };
    const { layer } = plainOf(precisionRecallSpec({ title: 't', series: [{ name: 'a', curve }] }));
    expect(layer[1].mark.interpolate).toBe('step-before');
    expect(layer[1].data.values.map(({ x, y }: Row) => [x, y])).toEqual([
      [0, 1],
      [0.5, 1],
      [1, 0.5],
    ]);
  });
});

describe('risk over coverage', () => {
  const N = 2000;
  const uncertainty = wave(N, 0);
  const losses = Float64Array.from({ length: N }, (_, i) => (i % 7 === 0 || (uncertainty[i] as number) > 0.95 ? 1 : 0));
  const curve = orThrow(riskCoverage(uncertainty, losses));
  const oracle = orThrow(riskCoverage(losses, losses));

  it('has the area of the library in its legend, and the oracle as a dashed line of the same colour', () => {
    const spec = plainOf(riskCoverageSpec({ title: 't', series: [{ name: 'a', curve, oracle }] }));
    expect(spec.encoding.color.scale.domain).toEqual([`a: AURC ${curve.area.toPrecision(3)}`]);
    const rows: Row[] = spec.data.values;
    expect(new Set(rows.map(({ name }) => name)).size).toBe(1);
    const last = (line: string) => rows.filter((row) => row.line === line).at(-1);
    expect(last('solid')).toMatchObject({ x: 1, y: curve.risk[N - 1] });
    expect(last('dashed')).toMatchObject({ x: 1, y: oracle.risk[N - 1] });
    expect(spec.title.subtitle).toEqual(['Dashed: the best order of the same losses (oracle)']);
  });

  it('says nothing of an oracle that there is not', () => {
    const spec = plainOf(riskCoverageSpec({ title: 't', series: [{ name: 'a', curve }] }));
    expect(spec.title.subtitle).toBeUndefined();
    expect(spec.data.values.every(({ line }: Row) => line === 'solid')).toBe(true);
  });

  it('begins at a coverage of 1 %, and the axis is not stretched by the few predictions that come first', () => {
    const early = { coverage: curve.coverage, risk: curve.risk.map((r, k) => (k < 100 ? 1 : r)) };
    const spec = plainOf(riskCoverageSpec({ title: 't', series: [{ name: 'a', curve: early }] }));
    expect(spec.data.values[0].x).toBe(0.01);
    const looked = Math.max(...curve.risk.subarray(N / 10 - 1));
    expect(spec.encoding.y.scale.domain[1]).toBeCloseTo(1.08 * looked, 12);
    expect(spec.mark.clip).toBe(true);
  });

  it('draws a single prediction, and no risk at all', () => {
    const spec = plainOf(riskCoverageSpec({ title: 't', series: [{ name: 'a', curve: { coverage: [1], risk: [0] } }] }));
    expect(spec.data.values).toHaveLength(1);
    expect(spec.encoding.y.scale.domain[1]).toBeGreaterThan(0);
  });
});

describe('points that nobody could see', () => {
  const line = Array.from({ length: 10_001 }, (_, i) => ({
    x: i / 10_000,
    y: Math.abs(Math.sin(i)) < 0.001 ? 1 : (i / 10_000) ** 2,
  }));
  const unit = { x: 500, y: 300 };
  const kept = thinned(line, unit);

  it('are left out, and the ends stay', () => {
    expect(kept.length).toBeLessThan(1500);
    expect([kept[0], kept.at(-1)]).toEqual([line[0], line.at(-1)]);
    expect(thinned([{ x: 0, y: 0 }], unit)).toEqual([{ x: 0, y: 0 }]);
  });

  it('lie within half a unit of a point that is kept', () => {
    const far = (p: { x: number; y: number }) =>
      Math.min(...kept.map((q) => Math.hypot((p.x - q.x) * unit.x, (p.y - q.y) * unit.y)));
    expect(Math.max(...line.filter((_, i) => i % 7 === 0).map(far))).toBeLessThan(0.5);
  });
});

/** The least k with P(X <= k) >= mille/1000 for X ~ Binomial(n, 1/20), in whole numbers: 20ⁿ P(X = k) = C(n, k) 19ⁿ⁻ᵏ. */
function exactQuantile(n: number, mille: bigint): number {
  let choose = 1n;
  let sum = 0n;
  for (let k = 0; ; k++) {
    sum += choose * 19n ** BigInt(n - k);
    if (1000n * sum >= mille * 20n ** BigInt(n)) return k;
    choose = (choose * BigInt(n - k)) / BigInt(k + 1);
  }
}

describe('the probability integral transform', () => {
  it('has densities that are 1 on average, and 1 in the last bin', () => {
    const { N, rows } = pitRows([Float64Array.of(0, 0.1), Float64Array.of(0.3, 1)], 4);
    expect(N).toBe(4);
    expect(rows.map(({ density }) => density)).toEqual([2, 1, 0, 1]);
    expect(rows.map(({ left, right }) => [left, right])[3]).toEqual([0.75, 1]);
  });

  it('has a band that is the binomial interval', () => {
    for (const n of [1, 20, 999, 1000])
      expect(binomialRange(n, 0.05, 0.95)).toEqual([exactQuantile(n, 25n), exactQuantile(n, 975n)]);
    expect(binomialRange(7, 1, 0.95)).toEqual([7, 7]);
    const { band } = pitRows([new Float64Array(1000)], 20);
    expect(band).toEqual({ low: exactQuantile(1000, 25n) / 50, high: exactQuantile(1000, 975n) / 50 });
  });

  it('has a band that is near the normal one for many values', () => {
    const [low, high] = binomialRange(1_000_000, 0.1, 0.95);
    // 1.96 √(n p (1 − p)) = 588. Skewness moves both ends by (z² − 1)(1 − 2p)/6 = 0.4, and rounding by at most 1.
    expect(Math.abs(low - (100_000 - 588))).toBeLessThanOrEqual(1);
    expect(Math.abs(high - (100_000 + 588))).toBeLessThanOrEqual(1);
  });

  it('says how many bins lie outside, in panels of one scale', () => {
    const uniform = Float64Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
    const series = [
      { name: 'a', values: [uniform] },
      { name: 'b', values: [uniform.map((v) => v / 2)] },
    ];
    const { vconcat } = plainOf(pitSpec({ title: 't', series }));
    expect(vconcat.map(({ title }: { title: { text: string } }) => title.text)).toEqual([
      'a (1,000 values): 0 of 20 bins outside',
      'b (1,000 values): 20 of 20 bins outside',
    ]);
    const ends = vconcat.map(
      (panel: { layer: { encoding: { y: { scale: { domain: number[] } } } }[] }) => panel.layer[0]?.encoding.y.scale.domain,
    );
    expect(ends[0]).toEqual(ends[1]);
    expect(ends[0][1]).toBeCloseTo(2.1, 12);
  });
});

describe('sizes of sets', () => {
  const series = [
    { name: 'LAC', sets: [[0], [1], [], [0, 1]], coverage: 0.75 },
    { name: 'APS', sets: [[0, 1, 2]], coverage: 1 },
  ];

  it('are shares of the sets of each method, with its coverage and mean size', () => {
    expect(setSizeRows(series).map(({ name, size, share }) => [name, size, share])).toEqual([
      ['LAC: coverage 0.750, mean size 1.00', '0', 25],
      ['LAC: coverage 0.750, mean size 1.00', '1', 50],
      ['LAC: coverage 0.750, mean size 1.00', '2', 25],
      ['LAC: coverage 0.750, mean size 1.00', '3', 0],
      ['APS: coverage 1.000, mean size 3.00', '0', 0],
      ['APS: coverage 1.000, mean size 3.00', '1', 0],
      ['APS: coverage 1.000, mean size 3.00', '2', 0],
      ['APS: coverage 1.000, mean size 3.00', '3', 100],
    ]);
  });

  it('are ranges where sets are large, and shares still add up to 100', () => {
    const sets = Array.from({ length: 101 }, (_, size) => new Uint8Array(size));
    const rows = setSizeRows([{ name: 'a', sets, coverage: 1 }]);
    expect(rows.length).toBeLessThanOrEqual(12);
    expect(rows[0]?.size).toBe('0–8');
    expect(rows.at(-1)?.size).toBe('99–100');
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(100, 9);
  });

  it('have their numbers where bars are wide enough', () => {
    expect(plainOf(setSizesSpec({ title: 't', series })).layer).toHaveLength(2);
    const many = Array.from({ length: 11 }, (_, size) => new Uint8Array(size));
    const three = ['a', 'b', 'c'].map((name) => ({ name, sets: many, coverage: 1 }));
    expect(plainOf(setSizesSpec({ title: 't', series: three })).layer).toHaveLength(1);
  });
});
