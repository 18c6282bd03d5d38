/** The search on one logarithm: it ends next to the bottom of a valley, visits no place twice, and keeps its bounds. */
import fc from 'fast-check';
import { descend } from '../../src/tuning/descend.js';

const visited = async (f: (t: number) => number, start: number, most = 14) => {
  const places: number[] = [];
  const at = async (t: number) => {
    places.push(t);
    return { t, loss: f(t) };
  };
  return { ...(await descend(at, ({ loss }) => loss, start, most)), places };
};

it('ends within half its last step of the bottom of a valley', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: -10, max: 10, noNaN: true }),
      fc.double({ min: -10, max: 10, noNaN: true }),
      async (bottom, start) => {
        const { t, places } = await visited((u) => (u - bottom) ** 2, start);
        // Both neighbours, a quarter away, are not lower.
        expect(Math.abs(t - bottom)).toBeLessThanOrEqual(1 / 8 + 1e-9);
        expect(new Set(places).size).toBe(places.length);
      },
    ),
    { numRuns: 50, seed: 5 },
  );
});

it('leaves a place whose loss is undefined, and passes others by', async () => {
  const { t } = await visited((u) => (u > 0.9 || (u > -2 && u < -1) ? Number.NaN : (u + 0.5) ** 2), 1);
  expect(Math.abs(t + 0.5)).toBeLessThanOrEqual(1 / 8);
});

it('goes to a bound and no further, and stays where all is undefined', async () => {
  const { t, places } = await visited((u) => -u, 0.3, 2);
  expect(t).toBeGreaterThan(1.75);
  expect(Math.max(...places)).toBeLessThanOrEqual(2);
  expect((await visited(() => Number.NaN, 1)).t).toBe(1);
});
