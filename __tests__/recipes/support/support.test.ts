import { textTable } from 'tfjs-laplace/extend';
import { normal, permutation, uniform } from '../../../recipes/support/random.js';
import { createReport } from '../../../recipes/support/report.js';
import { count, difference, percent } from '../../../recipes/support/table.js';

describe('a table', () => {
  it('aligns words to the left and numbers to the right', () => {
    expect(
      textTable(
        ['name', 'n'],
        [
          ['a', '1'],
          ['longer', '100'],
        ],
      ).split('\n'),
    ).toEqual(['name       n', '──────   ───', 'a          1', 'longer   100']);
  });

  it('writes numbers', () => {
    expect([percent(0.97654), percent(0.5, 0), count(10_000)]).toEqual(['97.65 %', '50 %', '10,000']);
    expect(difference({ mean: -0.0012, standardError: 0.0005 })).toBe('−0.12 ± 0.05');
  });
});

describe('random numbers', () => {
  it('are the same for the same seed, and others for others', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, uniform(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('have the moments of their distributions, to four standard errors', () => {
    const n = 20_000;
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / n;
    const u = Array.from({ length: n }, uniform(3));
    const z = Array.from({ length: n }, normal(3));
    expect(Math.abs(mean(u) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(mean(z))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(mean(z.map((v) => v * v)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  it('shuffle without losing or repeating', () => {
    const order = permutation(1000, 7);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(order).toEqual(permutation(1000, 7));
    expect(order.filter((v, i) => v === i).length).toBeLessThan(10);
  });
});

it.each([
  ['quiet', ['\nheading\n', 'a\n─\n1', 'result']],
  ['normal', ['\nheading\n', 'a\n─\n1', 'result', 'note']],
  ['verbose', ['\nheading\n', 'a\n─\n1', 'result', 'note', '  detail']],
] as const)('a %s report says as much as it should', (loudness, expected) => {
  const lines: string[] = [];
  const report = createReport(loudness, (line) => lines.push(line));
  report.heading('heading');
  report.table(['a'], [['1']]);
  report.result('result');
  report.note('note');
  report.detail('detail');
  expect(lines).toEqual(expected);
});
