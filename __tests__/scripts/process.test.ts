import { join } from 'node:path';
import { batchLine, complaint, run, runNpm, tool } from '../../scripts/setup/process.mjs';

const ROOT = join(__dirname, '..', '..');

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

describe('programs that are batch files on Windows', () => {
  it('go through the shell there, with each part quoted that needs it', () => {
    const args = ['pack', '--pack-destination', String.raw`C:\Users\A B\out`, 'say "x & y"'];
    expect(batchLine('win32', 'npm', args)).toBe(String.raw`npm pack --pack-destination "C:\Users\A B\out" "say ""x & y"""`);
  });

  it('and only those: a program with its path needs no shell, nor does another system', () => {
    expect(batchLine('win32', String.raw`C:\Program Files\nodejs\node.exe`, ['-e', '1'])).toBeUndefined();
    expect(batchLine('linux', 'npm', ['pack'])).toBeUndefined();
  });

  it('npm is the one that runs this script, else the one on the PATH', async () => {
    const before = process.env.npm_execpath;
    try {
      for (const own of [before, undefined, '/elsewhere/pnpm.cjs']) {
        if (own === undefined) delete process.env.npm_execpath;
        else process.env.npm_execpath = own;
        expect((await runNpm(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\s*$/);
      }
    } finally {
      if (before === undefined) delete process.env.npm_execpath;
      else process.env.npm_execpath = before;
    }
  });

  it('a tool of node_modules is started from its script', async () => {
    for (const [name, from] of [['tsx'], ['attw', '@arethetypeswrong/cli'], ['tsdown']] as const) {
      const [program, ...args] = tool(ROOT, name, from);
      expect(program).toBe(process.execPath);
      expect((await run(program, [...args, '--version'])).code).toBe(0);
    }
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
