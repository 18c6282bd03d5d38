import { join } from 'node:path';
import { compile, instrument, typeErrors } from './compile.js';

const ROOT = join(__dirname, '..', '..');
const example = (code: string) => ({ file: 'src/here/file.ts', line: 1, code, run: true });

const checksOf = async (code: string, load: (specifier: string) => unknown = () => ({})) => {
  const checks: Array<readonly [unknown, unknown]> = [];
  const near = (shown: string) => `near ${shown}`;
  const { assertions, run } = compile(example(code), ROOT);
  await run(load, (_, actual, expected) => checks.push([actual, expected]), near);
  return { assertions, checks };
};

it('checks expressions and constants against the comments behind them', async () => {
  const code = `
    const one = 1; // => 1
    one + 1; // => 3
    const list = await Promise.resolve([one, 2]); // => [1, 2]
    if (one === 1) list.length; // => one + 1
    list
      .map((x) => 2 * x); // => [2, 4]
    list.length; // a comment
  `;
  const checks = [
    [1, 1],
    [2, 3],
    [
      [1, 2],
      [1, 2],
    ],
    [2, 2],
    [
      [2, 4],
      [2, 4],
    ],
  ];
  expect(await checksOf(code)).toEqual({ assertions: 5, checks });
});

it('checks inside of functions, and counts what was never reached', async () => {
  const code = '[1, 2].forEach((x) => {\n  x; // => 1\n});\nconst never = () => {\n  1; // => 2\n};';
  expect(await checksOf(code)).toEqual({
    assertions: 2,
    checks: [
      [1, 1],
      [2, 1],
    ],
  });
});

it('takes a number that is cut for its beginning', async () => {
  expect((await checksOf('[0.5, -0.7]; // => [0.5…, -0.69…]')).checks).toEqual([
    [
      [0.5, -0.7],
      ['near 0.5', 'near -0.69'],
    ],
  ]);
});

it('gives modules by name, and neighbours by path', async () => {
  const asked: string[] = [];
  const load = (specifier: string) => {
    asked.push(specifier);
    return { a: 1, default: 2 };
  };
  const code = `import { a } from 'tfjs-laplace';\nimport { b } from './other.js';\nimport type { C } from './never.js';\na; // => 1\nb; // => undefined`;
  expect((await checksOf(code, load)).checks).toEqual([
    [1, 1],
    [undefined, undefined],
  ]);
  expect(asked).toEqual(['tfjs-laplace', join(ROOT, 'src/here/other')]);
});

it('refuses an assertion that stands behind nothing', () => {
  expect(() => instrument('f(\n  1, // => 1\n);')).toThrow("1 of 1 '// =>' do not stand behind a statement");
  expect(() => instrument('// => 1')).toThrow();
  expect(() => instrument('const { a, b } = c, d = 1; // => 1')).toThrow();
});

it('type-checks examples as modules beside their file', () => {
  const good = {
    ...example("import { isLaplaceError } from '../../errors.js';\nawait Promise.resolve(isLaplaceError(1));"),
    file: 'src/codec/deep/x.ts',
  };
  const bad = example("import { nothing } from '../errors.js';\nconst x: string = 1;");
  const broken = { ...example('const = 1;'), file: 'README.md' };
  const errors = typeErrors([good, bad, broken], ROOT);
  expect(errors.get(good)).toEqual([]);
  expect(errors.get(bad)).toEqual([expect.stringContaining("'nothing'"), expect.stringContaining("'string'")]);
  expect(errors.get(broken)).not.toEqual([]);
});
