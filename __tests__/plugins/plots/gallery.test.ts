import { gallery } from '../../../plugins/plots/gallery.js';

const item = (label: number) => ({
  image: Float32Array.of(0, 1, 0.5, 0),
  probabilities: [0.25, 0.75],
  label,
  captions: ['<a> & b'],
});
const svg = gallery({ title: 'Two', side: 2, items: [item(0), item(1)] });

/** Fill and height of every bar. */
const bars = [...svg.matchAll(/<rect x="\d+" y="[\d.]+" width="15" height="([\d.]+)" fill="(#\w+)"/g)].map(([, h, fill]) => [
  Number(h),
  fill,
]);

it('draws each probability as a bar, the right class in another colour', () => {
  expect(bars).toEqual([
    [21, '#0072B2'],
    [63, '#D55E00'],
    [21, '#D55E00'],
    [63, '#0072B2'],
  ]);
});

it('draws ink, darker for larger values, and leaves paper alone', () => {
  const paths = [...svg.matchAll(/<path d="([^"]+)" fill-opacity="([\d.]+)"/g)].map(([, d, opacity]) => [d, Number(opacity)]);
  expect(paths.slice(0, 2)).toEqual([
    ['M0 4h4v4h-4z', 0.5],
    ['M4 0h4v4h-4z', 1],
  ]);
  expect(paths).toHaveLength(4);
});

it('escapes words', () => {
  expect(svg).toContain('&lt;a&gt; &amp; b');
  expect(svg).not.toContain('<a>');
});

it('grows with the number of items', () => {
  const height = (n: number) =>
    Number(/height="(\d+)"/.exec(gallery({ title: '', side: 2, items: Array.from({ length: n }, () => item(0)) }))?.[1]);
  expect(height(3)).toBeGreaterThan(height(2));
  expect(height(2)).toBe(height(1));
});
