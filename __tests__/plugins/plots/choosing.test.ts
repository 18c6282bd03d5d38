/** What the pictures of `tune`, of the evidence and of regressions show, as values: Vega itself runs in `drawing.test.ts`. */
import { credibleIntervals } from 'tfjs-laplace';
import { evidenceSpec } from '../../../plugins/plots/evidenceCurves.js';
import { curvesOf } from '../../../plugins/plots/predictionBands.js';
import { tuningSpec } from '../../../plugins/plots/tuningCurve.js';
import { apart, criterionRange, marksOf } from '../../../plugins/plots/tuningMarks.js';

/** A specification as Vega gets it. */
// biome-ignore lint/suspicious/noExplicitAny: a specification has many shapes, and the tests look at a few of their fields.
const plainOf = (spec: unknown): any => JSON.parse(JSON.stringify(spec));

const tried = (precision: number, criterion: number, scale = 1, standardError = 0.01) => ({
  precision,
  scale,
  criterion,
  difference: { value: criterion - 0.3, standardError },
});
const candidates = [tried(0.1, 9, 4), tried(1, 0.3, 3), tried(10, 0.28, 2), tried(100, 0.29, 1.5)] as const;
const [, widest, best] = candidates;
const network = { plain: tried(Number.POSITIVE_INFINITY, 0.33), fitted: tried(Number.POSITIVE_INFINITY, 0.31, 1.2, 0) };
const tuning = { candidates, network, choices: { widest, best, evidence: best }, chosen: widest };
const heads = { title: 't', criterion: 'NLL (nats)' };

describe('the curve of a tuning', () => {
  it('has an axis that shows the network and the choice, and is not stretched by a posterior that is far too wide', () => {
    const [low, high] = criterionRange(tuning);
    // From 0.28 − 0.01 to three times the distance to 0.31 + 0.01, and 5 % more at both ends.
    expect(low).toBeCloseTo(0.27 - 0.05 * 0.15, 12);
    expect(high).toBeCloseTo(0.27 + 0.15 + 0.05 * 0.15, 12);
  });

  it('has an axis that ends at the highest of curve and network where nothing is far away', () => {
    const near = { ...tuning, candidates: candidates.slice(1) };
    expect(criterionRange(near)[1]).toBeCloseTo(0.33 + 0.05 * 0.06, 12);
  });

  it('has an axis with two ends where all is the same', () => {
    const one = tried(1, 0.5, 1, 0);
    const [low, high] = criterionRange({
      candidates: [one],
      network: { plain: one, fitted: one },
      choices: { best: one, widest: one, evidence: one },
      chosen: one,
    });
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.5);
  });

  it('says how far above the axis the network lies without its scale', () => {
    const far = {
      ...tuning,
      candidates: candidates.slice(1),
      network: { ...network, plain: { ...network.plain, criterion: 1.3333 } },
    };
    expect(criterionRange(far)[1]).toBeCloseTo(0.32 + 0.05 * 0.05, 12);
    const [top] = plainOf(tuningSpec({ ...heads, tuning: far })).vconcat;
    expect(JSON.stringify(top)).toContain('"↑ network: 1.33"');
    const lines = top.layer.find(({ mark }: { mark: { strokeDash?: unknown } }) => mark.strokeDash !== undefined).data.values;
    expect(lines.map(({ words }: { words: string }) => words)).toEqual(['network, fitted']);
  });

  it('names rules that agree together, and says which is chosen', () => {
    const marks = marksOf(tuning, () => 0);
    expect(marks.map(({ words, isChosen }) => [words, isChosen])).toEqual([
      ['widest (chosen), τ = 1', true],
      ['best, evidence, τ = 10', false],
    ]);
  });

  it('puts words above those to their right if they would lie upon each other, and beside them otherwise', () => {
    const rowsAt = (unit: number) => marksOf(tuning, (precision) => unit * Math.log10(precision)).map(({ row }) => row);
    expect(rowsAt(50)).toEqual([1, 0]);
    expect(rowsAt(300)).toEqual([0, 0]);
  });

  it('keeps the words of lines apart, in their order', () => {
    expect(apart([100, 50])).toEqual([100, 50]);
    expect(apart([104, 100])).toEqual([109, 95]);
    expect(apart([100, 104])).toEqual([95, 109]);
  });

  it('leaves out a criterion or a standard error that is not finite', () => {
    const own = [...candidates, tried(1000, Number.POSITIVE_INFINITY), tried(1e4, 0.3, 1, Number.POSITIVE_INFINITY)];
    const spec = plainOf(tuningSpec({ ...heads, tuning: { ...tuning, candidates: own } }));
    const rows = spec.vconcat[0].layer[0].data.values;
    expect(rows.map((row: { precision: number }) => row.precision)).toEqual([0.1, 1, 10, 100, 1e4]);
    expect(rows.at(-1)).toMatchObject({ low: 0.3, high: 0.3 });
    expect(rows[1]).toMatchObject({ low: 0.29, high: 0.31 });
  });

  it('has a panel of scales for classes alone, on a log axis if they differ much', () => {
    const panels = (spec: unknown) => plainOf(spec).vconcat;
    const withScales = panels(tuningSpec({ ...heads, tuning }));
    expect(withScales).toHaveLength(2);
    const y = (panel: { layer: { encoding: { y?: { scale: { type: string } } } }[] }) =>
      panel.layer.find(({ encoding }) => encoding?.y !== undefined)?.encoding.y?.scale.type;
    expect(y(withScales[1])).toBe('linear');
    const wide = { ...tuning, candidates: [tried(0.01, 0.5, 40), ...candidates] };
    expect(y(panels(tuningSpec({ ...heads, tuning: wide }))[1])).toBe('log');
    const plain = { ...network, fitted: network.plain };
    const numbers = {
      candidates: candidates.map((own) => ({ ...own, scale: 1 })),
      network: plain,
      choices: tuning.choices,
      chosen: best,
    };
    expect(panels(tuningSpec({ ...heads, tuning: numbers }))).toHaveLength(1);
  });

  it('takes a whole tuning, with fields that it does not know', () => {
    const more = { ...tuning, verdict: 'better', posterior: {}, choices: { ...tuning.choices, mine: tried(100, 0.29) } };
    const spec = JSON.stringify(tuningSpec({ ...heads, tuning: more }));
    expect(spec).toContain('mine, τ = 100');
  });

  it('says where the network itself is chosen', () => {
    const words = (chosen: typeof best) => JSON.stringify(tuningSpec({ ...heads, tuning: { ...tuning, chosen } }));
    expect(words(network.fitted)).toContain('network, fitted (chosen)');
    expect(words(network.fitted)).toContain('widest, τ = 1');
    expect(words(network.plain)).toContain('"network (chosen)"');
  });
});

describe('evidence', () => {
  const points = [0.1, 1, 10].map((precision) => ({
    precision,
    logMarginalLikelihood: -20 - Math.log10(precision / 2) ** 2,
    logLikelihood: -8,
  }));
  const maximum = { precision: 2, logMarginalLikelihood: -20 };

  it('is marked at the highest point, or where its maximum is known', () => {
    const spec = plainOf(
      evidenceSpec({
        title: 't',
        series: [
          { name: 'a', points },
          { name: 'b', points, maximum },
        ],
      }),
    );
    const [lines, tops] = spec.layer;
    expect(lines.data.values).toHaveLength(6);
    expect(tops.data.values.map((row: { name: string; precision: number }) => [row.name, row.precision])).toEqual([
      ['a: largest at τ = 1', 1],
      ['b: largest at τ = 2', 2],
    ]);
  });

  it('has a log-likelihood and an Occam term that add up to it', () => {
    const whole = points.map((own) => ({ ...own, logDetRatio: 4, scatter: -2 * (own.logMarginalLikelihood + 8) - 4 }));
    const spec = plainOf(evidenceSpec({ title: 't', parts: true, series: [{ name: 'a', points: whole }] }));
    const rows: { line: string; precision: number; y: number }[] = spec.layer[0].data.values;
    const at = (line: string) => rows.filter((row) => row.line === line).map(({ y }) => y);
    expect(at('dashed')).toEqual([-8, -8, -8]);
    whole.forEach(({ logDetRatio, scatter, logMarginalLikelihood }, i) => {
      expect(at('solid')[i]).toBe(logMarginalLikelihood);
      expect(at('dotted')[i]).toBeCloseTo(-0.5 * (logDetRatio + scatter), 12);
    });
  });

  it('says which point lacks the log-likelihood that parts need', () => {
    const bare = [{ precision: 1, logMarginalLikelihood: -1 }];
    expect(() => evidenceSpec({ title: 't', parts: true, series: [{ name: 'a', points: bare }] })).toThrow(
      'series[0].points[0].logLikelihood',
    );
  });
});

describe('bands of predictions', () => {
  const rows = (...values: [number, number][]) => values.map((row) => Float32Array.from(row));
  const prediction = {
    _tag: 'regression',
    support: 'real',
    mean: rows([0, 5], [1, 6]),
    epistemicVariance: rows([1, 2], [3, 4]),
    noiseVariance: rows([1, 1], [1, 1]),
    totalVariance: rows([2, 3], [4, 5]),
  } as const;
  const data = { title: 't', xAxis: 'x', yAxis: 'y', x: [0, 1], prediction };

  it('are the credible intervals of the library, wide ones first', () => {
    const { curves } = curvesOf({ ...data, output: 1, levels: [0.5, 0.95] });
    expect(curves.map(({ name, line }) => [name, line])).toEqual([
      ['total, 50 % and 95 %', 'none'],
      ['total, 50 % and 95 %', 'none'],
      ['mean and its epistemic part, 50 % and 95 %', 'none'],
      ['mean and its epistemic part, 50 % and 95 %', 'solid'],
    ]);
    const expected = [
      credibleIntervals(prediction, { level: 0.95 }),
      credibleIntervals(prediction, { level: 0.5 }),
      credibleIntervals(prediction, { level: 0.95, of: 'mean' }),
      credibleIntervals(prediction, { level: 0.5, of: 'mean' }),
    ];
    curves.forEach(({ points }, c) => {
      expect(points).toEqual(
        [0, 1].map((i) => ({ x: i, y: [5, 6][i], low: expected[c]?.lower[i]?.[1], high: expected[c]?.upper[i]?.[1] })),
      );
    });
  });

  it('have further intervals as dashed lines of one colour, and further curves in others', () => {
    const intervals = [{ name: 'conformal', lower: [[-2], [-1]], upper: [[2], [3]] }];
    const truth = { name: 'truth', points: [{ x: 0, y: 0 }] };
    const { curves } = curvesOf({ ...data, intervals, curves: [truth, { ...truth, name: 'mine', colour: 'red' }] });
    const [lower, upper, own, mine] = curves.slice(2);
    expect(lower).toMatchObject({
      name: 'conformal',
      line: 'dashed',
      points: [
        { x: 0, y: -2 },
        { x: 1, y: -1 },
      ],
    });
    expect(upper).toMatchObject({
      name: 'conformal',
      line: 'dashed',
      points: [
        { x: 0, y: 2 },
        { x: 1, y: 3 },
      ],
    });
    expect(upper?.colour).toBe(lower?.colour);
    expect(new Set(curves.slice(0, 5).map(({ colour }) => colour)).size).toBe(4);
    expect(own?.line).toBe('solid');
    expect(mine?.colour).toBe('red');
  });
});
