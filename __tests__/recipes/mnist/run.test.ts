import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'mnist-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The text of one run, without what differs from run to run: how long things take, and the widths of the columns that say so. */
const run = async (...args: string[]) => {
  const command = ['--import', 'tsx', join(__dirname, 'tiny.ts'), ...args];
  // The test's own environment names the backend of this test run; without it a child gets the environment of jest.
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env: process.env });
  return stdout
    .replace(/\d+(\.\d+)? (ms|s)$/gm, 'a while')
    .replace(/ +/g, ' ')
    .replace(/─+/g, '─');
};

const [out, model] = [join(folder, 'out'), join(folder, 'model')];
const section = (text: string, n: number) => text.slice(text.indexOf(`\n${n}. `), text.indexOf(`\n${n + 1}. `) >>> 0);

let trained = '';

it('answers its six questions, the same twice, and leaves pictures and the network', async () => {
  trained = await run(out, 'save', model);
  expect(readdirSync(out).sort()).toEqual(
    ['digits', 'reliability', 'tuning', 'uncertainty'].flatMap((name) => [`${name}.png`, `${name}.svg`]),
  );
  expect(readdirSync(model).sort()).toEqual(['model.json', 'weights.bin']);
  for (const word of ['MAP', 'linearised', 'sampled, 2 networks']) expect(section(trained, 1)).toContain(word);
  for (const n of [1, 2, 3, 4, 5, 6]) expect(trained).toContain(`\n${n}. `);
  expect(section(trained, 5).match(/^#\d+/gm)).toHaveLength(10);
  expect(section(trained, 6)).toMatch(/^hidden1 0\.0 %/m);
  // What is left on the device is the network: six weights, and what Adam keeps of them.
  expect(trained).toMatch(/^tensors left: 20$/m);

  expect(await run(out, 'save', model)).toBe(trained);
});

it('goes on from a saved network, whose factors come from a pass', async () => {
  const text = await run(out, 'pretrained', model);
  const map = (own: string) => /^MAP (.*) a while$/m.exec(section(own, 1))?.[1];
  expect(map(text)).toBeDefined();
  expect(map(text)).toBe(map(trained));
  expect(section(text, 6)).toContain('Left out');
});
