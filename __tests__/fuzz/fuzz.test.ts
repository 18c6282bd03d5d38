/** A few cases of each kind of `npm run fuzz`, what a finding tells, and the arguments. */
import fc from 'fast-check';
import { askedBy, helpFor } from '../../scripts/fuzz/arguments.js';
import { kindOf } from '../../scripts/fuzz/kindOf.js';
import { KINDS, sharesOf } from '../../scripts/fuzz/kinds.js';

const CASES: Readonly<Record<string, number>> = { analysis: 60, bruteforce: 20, files: 200, recipes: 500 };

it.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', async (name, kind) => {
  const { cases, finding } = await kind.run({ seed: 3, cases: CASES[name] as number });
  expect(finding).toBeUndefined();
  expect(cases).toBe(CASES[name]);
});

it('tells a finding in its smallest form, and finds it again by its path', async () => {
  const tens = kindOf({
    name: 'tens',
    about: 'a number',
    share: 1,
    cases: fc.nat(),
    check: (n) => {
      if (n >= 10) throw new Error(`${n} is too large`);
    },
    show: String,
  });
  const { finding } = await tens.run({ seed: 1, cases: 100 });
  expect(finding).toMatchObject({ shown: '10', error: expect.stringContaining('10 is too large') });
  const again = await tens.run({ seed: 1, cases: 100, path: finding?.path });
  expect(again.finding).toMatchObject({ shown: '10' });
});

describe('arguments', () => {
  it.each([
    ['--cases 0', 'integer > 0'],
    ['--cases many', 'integer > 0'],
    ['--seed 0.5', 'integer of 32 bits'],
    ['--only nothing', 'analysis, bruteforce, files, recipes'],
    ['--path 3:0', '--only'],
    ['--only files --path x', 'colons'],
    ['--unknown', 'unknown'],
  ])('refuses %s', (line, why) => {
    expect(askedBy(line.split(' '), KINDS)).toMatchObject({ _tag: 'wrong', why: expect.stringContaining(why) });
  });

  it('reads a run, and help', () => {
    expect(askedBy(['--cases', '7', '--seed', '5', '--only', 'files', '--path', '3:0'], KINDS)).toMatchObject({
      kinds: [{ name: 'files' }],
      cases: 7,
      seed: 5,
      path: '3:0',
    });
    expect(askedBy(['--help'], KINDS)).toEqual({ _tag: 'help' });
    for (const { name } of KINDS) expect(helpFor(KINDS)).toContain(name);
  });

  it('shares out all cases', () => {
    expect(KINDS.reduce((sum, { share }) => sum + share, 0)).toBe(100);
    expect(sharesOf(KINDS, 100_000).reduce((sum, [, cases]) => sum + cases, 0)).toBe(100_000);
  });
});
