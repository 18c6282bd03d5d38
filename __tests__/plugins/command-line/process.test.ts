/** The executable in a process of its own: signals and pipes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvOf, RECIPE, said, workFolder } from './folder.js';

const MAIN = join(__dirname, '..', '..', '..', 'plugins', 'command-line', 'main.ts');

let work: Awaited<ReturnType<typeof workFolder>>;
const at = (name: string): string => work.at(name);
beforeAll(async () => {
  work = await workFolder();
  writeFileSync(at('recipe.json'), JSON.stringify({ likelihood: RECIPE.likelihood }));
  writeFileSync(at('long.csv'), csvOf(9, 4000));
  const data = ['--data', at('train.csv'), '--target', 'kind', '--out', at('out'), '--quiet'];
  expect((await said('run', at('recipe.json'), '--model', at('model'), ...data)).code).toBe(0);
});
afterAll(() => work.remove());

const start = (...args: ReadonlyArray<string>): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', MAIN, ...args, '--backend', 'cpu'], { stdio: ['ignore', 'pipe', 'pipe'] });

/** Everything that a process says on one of its streams, as it comes. */
function heard(stream: NodeJS.ReadableStream | null, seen: (text: string) => void): () => string {
  let all = '';
  stream?.on('data', (text) => {
    all += String(text);
    seen(all);
  });
  return () => all;
}

/** Files that were being written. */
const rests = (folder: string): string[] =>
  readdirSync(at(folder), { recursive: true })
    .map(String)
    .filter((name) => name.includes('.part'));

it('ends on Ctrl-C in the middle of a pass, and leaves whole checkpoints alone', async () => {
  const data = ['--data', at('long.csv'), '--target', 'kind', '--batch', '1', '--checkpoint', at('pass'), '--every', '2'];
  const child = start('run', at('recipe.json'), '--model', at('model'), ...data, '--out', at('cut'), '--verbose');
  // The pass is under way when some batches have been told.
  const err = heard(child.stderr, (text) => {
    if (/of 4,?000 batches/.test(text)) child.kill('SIGINT');
  });
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
  expect(err()).toContain('Interrupted.');
  expect(err()).not.toMatch(/\n\s+at /);
  expect(readdirSync(at('.'))).not.toContain('cut');
  if (readdirSync(at('.')).includes('pass')) expect(rests('pass')).toEqual([]);
});

it('ends on Ctrl-C while networks are drawn, and leaves whole ones', async () => {
  const child = start('sample', at('out'), '--model', at('model'), '--samples', '2000', '--out', at('networks'), '--verbose');
  heard(child.stderr, (text) => {
    if (/3 of 2,?000 networks/.test(text)) child.kill('SIGINT');
  });
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
  expect(rests('networks')).toEqual([]);
  const whole = readdirSync(at('networks'));
  expect(whole.length).toBeGreaterThanOrEqual(3);
  for (const name of whole) expect(readdirSync(at(`networks/${name}`)).sort()).toEqual(['model.json', 'weights.bin']);
});

it('ends without a word when nobody reads on', async () => {
  const args = ['predict', at('out'), '--model', at('model'), '--data', at('long.csv'), '--inputs', 'a', 'b', 'c'];
  const child = start(...args, '--json', '--quiet', '--batch', '8');
  const err = heard(child.stderr, () => {});
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(err()).toBe('');
});

it('prints JSON alone on stdout, also where tfjs greets', async () => {
  const child = start('coverage', '--model', at('model'), '--likelihood', 'categorical', '--json');
  const out = heard(child.stdout, () => {});
  expect((await once(child, 'exit'))[0]).toBe(0);
  expect(JSON.parse(out()).coveredParameters).toBe(45);
});
