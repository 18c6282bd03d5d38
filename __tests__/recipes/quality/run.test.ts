import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HELP } from '../../../recipes/quality/options.js';

const ROOT = join(__dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'quality-'));
afterAll(() => rmSync(folder, { recursive: true }));

const node = (script: string, ...args: string[]) =>
  // The test's own environment names the backend of this test run; without it a child gets the environment of jest.
  promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], { cwd: ROOT, env: process.env });

const PICTURES = ['abstaining', 'foreign', 'reliability', 'roc-noise', 'roc-rotated', 'set-sizes', 'tuning'];

it('tells all six chapters, the same twice, on a page that holds its pictures', async () => {
  const [out, again] = [join(folder, 'out'), join(folder, 'again')];
  const tiny = join(__dirname, 'tiny.ts');
  const { stdout } = await node(tiny, out);
  expect(stdout.match(/^\d\. .*$/gm)).toEqual([
    '1. The network alone',
    '2. The tuned posterior',
    '3. Calibration',
    '4. Abstaining',
    '5. Foreign images',
    '6. Sets that hold what they promise',
  ]);
  expect(stdout).not.toMatch(/NaN|undefined|Infinity/);
  expect(stdout).toMatch(/^tensors left: 0$/m);
  expect(readdirSync(out).sort()).toEqual(['index.html', ...PICTURES.flatMap((name) => [`${name}.png`, `${name}.svg`])].sort());

  const page = readFileSync(join(out, 'index.html'), 'utf8');
  expect(page).not.toMatch(/NaN|undefined/);
  // Nothing is fetched from elsewhere: the pictures are those of the files, and links go to the chapters.
  const inside = [...page.matchAll(/<img src="data:image\/svg\+xml;base64,([^"]+)" alt="[^"]+">/g)].map(([, code]) =>
    Buffer.from(code as string, 'base64').toString(),
  );
  expect(inside.sort()).toEqual(PICTURES.map((name) => readFileSync(join(out, `${name}.svg`), 'utf8')).sort());
  expect(page.match(/(src|href)="(?!data:|#)/g)).toBeNull();
  for (const [, chapter] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`<h2 id="${chapter}">`);
  // What the terminal says is on the page.
  const words = (text: string) =>
    text
      .replace(/&quot;/g, '"')
      .replace(/&amp;/g, '&')
      .replace(/\s+/g, ' ');
  const paragraphs = stdout.split('\n\n').filter((text) => /^[A-Z].*\.$/s.test(text));
  expect(paragraphs.length).toBeGreaterThan(20);
  for (const text of paragraphs) expect(words(page)).toContain(words(text));

  expect((await node(tiny, again)).stdout).toBe(stdout);
  expect(readFileSync(join(again, 'index.html'), 'utf8')).toBe(page);
});

it('explains itself, and refuses what it does not know', async () => {
  const main = join(ROOT, 'recipes', 'quality', 'main.ts');
  expect((await node(main, '--help')).stdout).toBe(HELP);
  const failed = await node(main, '--fast').catch((error: { code: number; stderr: string; stdout: string }) => error);
  expect(failed).toMatchObject({ code: 2, stdout: '' });
  expect((failed as { stderr: string }).stderr).toContain("Unknown option '--fast'");
});
