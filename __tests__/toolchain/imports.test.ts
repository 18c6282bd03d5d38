/** The import rule can fail: a small tree that breaks every part of it, and some that don't. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, tool } from '../../scripts/setup/process.mjs';

const ROOT = join(__dirname, '..', '..');

/** A file, what it imports, and the rule that it breaks, if any. */
const CASES: ReadonlyArray<readonly [file: string, imported: string, rule?: string]> = [
  ['src/linalg/fine.ts', '../errors.js'],
  ['src/linalg/neighbour.ts', './fine.js'],
  ['src/linalg/right.ts', '../posterior/fine.js', 'order-linalg'],
  ['src/linalg/beside.ts', '../random/fine.js', 'order-linalg'],
  ['src/types.ts', './errors.js', 'order-types'],
  ['src/index.ts', './posterior/fine.js'],
  ['src/posterior/index-again.ts', '../index.js', 'order-posterior'],
  ['src/elsewhere/new.ts', '../errors.js', 'order-complete'],
  ['src/random/cycle-1.ts', './cycle-2.js', 'no-cycles'], // a cycle is told once
  ['src/random/cycle-2.ts', './cycle-1.js'],
  ['src/random/missing.ts', './nothing.js', 'resolvable'],
  ['src/predictive/links/right.ts', '../report/fine.js', 'order-predictive-links'],
  ['src/predictive/report/beside.ts', '../links/fine.js'],
  ['src/predictive/device/top.ts', '../prediction.js'],
  ['src/predictive/device/end.ts', '../predictor.js', 'order-predictive-device'],
  ['src/predictive/elsewhere/new.ts', '../prediction.js', 'order-predictive-complete'],
  ['src/posterior/up.ts', '../../plugins/one/index.js', 'src-in-src'],
  ['src/network/node.ts', 'node:fs', 'src-any-runtime'],
  ['src/network/core.ts', '@tensorflow/tfjs-core'],
  ['src/network/kernels.ts', '@tensorflow/tfjs-node-gpu', 'tfjs-parts'],
  ['src/network/deep.ts', '@tensorflow/tfjs-core/dist/ops/ops.js', 'tfjs-one-copy'],
  ['src/stream/rx.ts', 'rxjs'],
  ['src/posterior/rx.ts', 'rxjs', 'rxjs-at-the-edge'],
  ['src/posterior/codec.ts', 'io-ts'],
  ['src/posterior/decode.ts', 'io-ts', 'io-ts-in-codecs'],
  ['src/posterior/fp.ts', 'fp-ts'],
  ['src/posterior/fp-path.ts', 'fp-ts/lib/Either.js', 'fp-ts-root'],
  ['src/posterior/undeclared.ts', 'fast-check', 'declared'],
  ['plugins/two/fine.ts', 'tfjs-laplace'],
  ['plugins/two/plugin.ts', 'tfjs-laplace/plugins/one'],
  ['plugins/two/path.ts', '../../src/index.js', 'public-surface'],
  ['plugins/two/plugin-path.ts', '../one/index.js', 'plugins-by-name'],
  ['plugins/two/union.ts', '@tensorflow/tfjs', 'declared'],
  ['plugins/two/recipe.ts', '../../recipes/fine.js', 'recipes-are-last'],
  ['recipes/fine.ts', 'tfjs-laplace/plugins/one'],
  ['recipes/path.ts', '../src/posterior/fine.js', 'public-surface'],
  ['recipes/plugin-path.ts', '../plugins/one/index.js', 'recipes-by-name'],
];

const LEAVES = [
  'src/errors.ts',
  'src/posterior/fine.ts',
  'src/random/fine.ts',
  'src/predictive/prediction.ts',
  'src/predictive/predictor.ts',
  'src/predictive/links/fine.ts',
  'src/predictive/report/fine.ts',
  'plugins/one/index.ts',
];

it('finds every breach, and nothing else', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'imports-'));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  };
  try {
    for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) cpSync(join(ROOT, file), join(tree, file));
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'), 'junction');
    for (const file of LEAVES) write(file, 'export {};\n');
    for (const [file, imported] of CASES) write(file, `import '${imported}';\n`);

    const [program, ...args] = tool(ROOT, 'depcruise', 'dependency-cruiser');
    const { output } = await run(program, [...args, '--output-type', 'json', 'src', 'plugins', 'recipes'], { cwd: tree });
    const violations: ReadonlyArray<{ from: string; rule: { name: string; severity: string } }> =
      JSON.parse(output).summary.violations;

    expect(violations.every(({ rule }) => rule.severity === 'error')).toBe(true);
    const breaches = new Set(violations.map(({ from, rule }) => `${from} breaks ${rule.name}`));
    const expected = CASES.flatMap(([file, , rule]) => (rule === undefined ? [] : [`${file} breaks ${rule}`]));
    expect([...breaches].sort()).toEqual(expected.sort());
  } finally {
    rmSync(tree, { recursive: true });
  }
});
