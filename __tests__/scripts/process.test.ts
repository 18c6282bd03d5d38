import { complaint, run } from '../../scripts/setup/process.mjs';

describe('run', () => {
  it('gives what a program says and its code', async () => {
    expect(await run(process.execPath, ['-e', 'console.log(1); console.error(2); process.exit(3)'])).toEqual({
      code: 3,
      output: '1\n2\n',
    });
  });

  it('answers for a program that is not there', async () => {
    expect((await run('a-program-that-is-not-there', [])).code).not.toBe(0);
  });

  it('ends a program, and what it started, at its time limit', async () => {
    const sleeper = 'setTimeout(() => {}, 60_000)';
    const parent = `require('child_process').spawn(process.execPath, ['-e', '${sleeper}'], { stdio: 'inherit' }); ${sleeper}`;
    // The output closes only when the grandchild, which holds it too, is gone.
    expect((await run(process.execPath, ['-e', parent], { limitMs: 300 })).code).not.toBe(0);
  });
});

it.each([
  [
    'pip',
    "WARNING: Retrying after connection broken by 'NewConnectionError(x): y'\nERROR: No matching distribution found\n",
    'ERROR: No matching distribution found',
  ],
  [
    'a compiler',
    'In file included\na.cc:1:2: fatal error: node_api.h: No such file\ncompilation terminated.',
    'a.cc:1:2: fatal error: node_api.h: No such file',
  ],
  ['Node', 'node:events:502\n      throw er;\n\nError: getaddrinfo ENOTFOUND\n    at x', 'Error: getaddrinfo ENOTFOUND'],
  ['a program without errors', 'one\ntwo\n', 'two'],
  ['silence', '', 'it printed nothing'],
])('the complaint of %s', (_, output, expected) => {
  expect(complaint(output)).toBe(expected);
});
