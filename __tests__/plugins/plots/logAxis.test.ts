import { logAxis, logTicks, plain } from '../../../plugins/plots/logAxis.js';

const labels = (low: number, high: number) => logTicks(low, high).map(({ label }) => label);

it('labels powers of ten, as numbers where they are short', () => {
  expect(labels(0.01, 1000)).toEqual(['0.01', '0.1', '1', '10', '100', '1000']);
  expect(labels(2e-4, 3e3)).toEqual(['10⁻³', '10⁻²', '10⁻¹', '10⁰', '10¹', '10²', '10³']);
});

it('leaves powers out over many decades', () => {
  expect(labels(1e-4, 1e8)).toEqual(['10⁻⁴', '10⁻²', '10⁰', '10²', '10⁴', '10⁶', '10⁸']);
  expect(labels(1e-30, 1e-10).length).toBeLessThanOrEqual(10);
});

it('labels 1, 2 and 5 over few decades, and the ends if there is nothing round between them', () => {
  expect(labels(0.5, 20)).toEqual(['0.5', '1', '2', '5', '10', '20']);
  expect(labels(21, 44)).toEqual(['21', '44']);
});

it('has a label for each of its ticks', () => {
  const { axis, scale } = logAxis(0.001, 100);
  expect(scale.domain).toEqual([0.001, 100]);
  expect(axis.values).toEqual([0.001, 0.01, 0.1, 1, 10, 100]);
  // Vega looks a tick up by its number.
  const table = JSON.parse(axis.labelExpr.replace(/^\((.*)\)\[datum\.value\]$/, '$1'));
  expect(axis.values.map((value) => table[value])).toEqual(['10⁻³', '10⁻²', '10⁻¹', '10⁰', '10¹', '10²']);
});

it('writes numbers in three digits', () => {
  expect([0.01234, 4.5, 12345, 1e5, 1.234e7, 0.00123].map(plain)).toEqual([
    '0.0123',
    '4.5',
    '12300',
    '10⁵',
    '1.23·10⁷',
    '1.23·10⁻³',
  ]);
});
