/** What the pictures show, as values: Vega itself runs in `drawing.test.ts`. */
import { curvesSpec } from '../../../plugins/plots/curves.js';
import { histogramRows, histogramSpec } from '../../../plugins/plots/histograms.js';
import { lawPoints, powerLawSpec } from '../../../plugins/plots/powerLaws.js';
import { reliabilityRows, reliabilitySpec, wilson } from '../../../plugins/plots/reliability.js';
import { colourOf, heading, lines } from '../../../plugins/plots/theme.js';

const bin = (lower: number, count: number, accuracy: number) => ({
  lower,
  upper: lower + 0.5,
  count,
  confidence: lower + 0.3,
  accuracy,
});

describe('reliability', () => {
  const data = {
    title: 'Reliability',
    series: [
      { name: 'a', bins: [bin(0, 10, 0.5), bin(0.5, 90, 0.8)] },
      { name: 'b', bins: [bin(0, 0, 0), bin(0.5, 100, 1)] },
    ],
  };

  it('has a row for every bin with a prediction in it, and leaves the empty ones out', () => {
    expect(reliabilityRows(data).map(({ name, accuracy, count }) => [name, accuracy, count])).toEqual([
      ['a', 0.5, 10],
      ['a', 0.8, 90],
      ['b', 1, 100],
    ]);
  });

  it('puts the bars of a bin beside each other, inside of it', () => {
    const [, a, b] = reliabilityRows(data);
    expect(a?.left).toBeGreaterThanOrEqual(0.5);
    expect(a?.right).toBeLessThan(b?.left as number);
    expect(b?.right).toBeLessThanOrEqual(1);
  });

  it("has Wilson's intervals", () => {
    // By hand: (0.5 + 0.05) / 1.1 = 0.5, √(0.025 + 0.0025) / 1.1 = 0.150756.
    expect(wilson(0.5, 10)[0]).toBeCloseTo(0.5 - 0.150756, 6);
    expect(wilson(0.5, 10)[1]).toBeCloseTo(0.5 + 0.150756, 6);
    const [low, high] = wilson(1, 4);
    expect(low).toBeCloseTo(0.8, 12);
    expect(high).toBeCloseTo(1, 12);
  });

  it('has room for the largest count', () => {
    const { domain } = JSON.parse(JSON.stringify(reliabilitySpec(data))).vconcat[1].encoding.y.scale;
    expect(domain).toEqual([0.5, 100]);
  });
});

describe('histograms', () => {
  const panel = { title: 'p', groups: [{ name: 'g', values: [0, 0.1, 0.6, 1, 7, -1] }] };

  it('give each bin its share of the group, values beyond the ends in the outermost bins', () => {
    const rows = histogramRows(panel, [0, 1], 2);
    expect(rows.map(({ left, right, share }) => [left, right, share])).toEqual([
      [0, 0.5, 50],
      [0.5, 1, 50],
    ]);
    expect(rows[0]?.group).toBe('g (6)');
  });

  it('have no share of an empty group', () => {
    const rows = histogramRows({ title: 'p', groups: [{ name: 'none', values: [] }] }, [0, 1], 3);
    expect(rows.map((r) => r.share)).toEqual([0, 0, 0]);
  });

  it('show a single value of the largest group', () => {
    const values = new Float32Array(1000).fill(0.1).fill(0.9, 999);
    const spec = JSON.parse(
      JSON.stringify(
        histogramSpec({
          title: 't',
          axis: 'a',
          of: 'o',
          range: [0, 1],
          panels: [{ title: 'p', groups: [{ name: 'g', values }] }],
        }),
      ),
    );
    const smallest = Math.min(...spec.vconcat[0].data.values.map((row: { share: number }) => row.share));
    expect(smallest).toBeCloseTo(0.1, 12);
    expect(spec.vconcat[0].encoding.y.scale.domain[0]).toBeLessThan(smallest);
  });
});

it('curves have bands where they have limits, and their own colours', () => {
  const spec = JSON.parse(
    JSON.stringify(
      curvesSpec({
        title: 't',
        xAxis: 'x',
        yAxis: 'y',
        curves: [
          { name: 'a', colour: '#123456', points: [{ x: 0, y: 1, low: 0, high: 2 }] },
          { name: 'b', points: [{ x: 0, y: 1 }] },
        ],
        dots: [{ x: 3, y: 4 }],
      }),
    ),
  );
  expect(spec.layer.map((layer: { data: { values: unknown[] } }) => layer.data.values.length)).toEqual([1, 2, 1]);
  expect(spec.layer[0].encoding.color.scale.range[0]).toBe('#123456');
});

it('curves keep the points of each line together, with the pattern of the line, and hide what is to have none', () => {
  const points = [{ x: 0, y: 1, low: 0, high: 2 }];
  const spec = JSON.parse(
    JSON.stringify(
      curvesSpec({
        title: 't',
        xAxis: 'x',
        yAxis: 'y',
        curves: [
          { name: 'a', points, line: 'none' },
          { name: 'b', points, line: 'dashed' },
          { name: 'b', points },
        ],
      }),
    ),
  );
  const [band, line] = spec.layer;
  expect(band.data.values.map(({ curve }: { curve: number }) => curve)).toEqual([0, 1, 2]);
  expect(line.data.values.map((row: { curve: number; line: string }) => [row.curve, row.line])).toEqual([
    [1, 'dashed'],
    [2, 'solid'],
  ]);
  expect(line.encoding.color.scale).toEqual({ domain: ['a', 'b'], range: ['#0072B2', '#D55E00'] });
});

it('legends have as many columns as fit beside each other', () => {
  const columnsOf = (names: string[]) => colourOf(names).legend.columns;
  expect(columnsOf(['MAP', 'Laplace'])).toBe(2);
  expect(columnsOf(['a name so long that', 'two of them do not', 'fit beside a third'])).toBe(2);
  expect(columnsOf(Array.from({ length: 4 }, (_, i) => `a name that is far too long for a second column ${i}`))).toBe(1);
});

it('titles are broken between words', () => {
  const words = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen';
  const broken = lines(words, 16);
  expect(broken.length).toBeGreaterThan(1);
  expect(broken.join(' ')).toBe(words);
  expect(lines('short', 16)).toEqual(['short']);
});

it('headings have their note in a line of its own, below the subtitle', () => {
  expect(heading({ title: 'a', subtitle: 'b' }, 'c')).toEqual({ text: ['a'], subtitle: ['b', 'c'] });
  expect(heading({ title: 'a' }, 'c')).toEqual({ text: ['a'], subtitle: ['c'] });
  expect(heading({ title: 'a' })).toEqual({ text: ['a'] });
});

describe('power laws', () => {
  const panel = {
    size: 'examples',
    cost: 'time (ms)',
    points: [1, 2, 4].map((x) => ({ x, y: 3 * x * x })),
    fitted: { exponent: 2, factor: 3, from: 2 },
    stated: '2',
  };

  it('draw the line over the sizes that it was fitted to', () => {
    expect(lawPoints(panel)).toEqual([
      { x: 2, y: 12 },
      { x: 4, y: 48 },
    ]);
  });

  it('leave room around a flat curve, so that its noise is no trend', () => {
    const flat = { ...panel, points: [1, 2, 4].map((x) => ({ x, y: 100 })) };
    const { domain } = JSON.parse(JSON.stringify(powerLawSpec({ title: 't', rows: [[flat]] }))).vconcat[0].hconcat[0].layer[0]
      .encoding.y.scale;
    expect(domain).toEqual([25, 400]);
  });
});
