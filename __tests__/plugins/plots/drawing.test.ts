import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { canDrawText, pngOf } from '../../../plugins/plots/png.js';

const ROOT = join(__dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'plots-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Words of each picture. */
const WORDS: Readonly<Record<string, ReadonlyArray<string>>> = {
  reliability: [
    'Reliability title',
    'below it',
    'MAP series',
    'confidence (largest predicted probability)',
    'share of right predictions',
    'predictions',
  ],
  histograms: ['Histogram title', 'Panel title', 'correct (3)', 'entropy (nats)', '% of digits'],
  curves: ['Curve title', 'time (s)', 'height (m)', 'fall'],
  powerLaws: ['Scaling title', 'examples', 'time (ms)', '1.00 fitted, 1 stated'],
  gallery: ['Gallery title', 'probability of the right class'],
};

it('writes each picture as SVG with its words and as PNG, the same every time', async () => {
  const script = join(__dirname, 'draw.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, folder], { cwd: ROOT });
  expect(JSON.parse(stdout)).toEqual({ same: true, text: await canDrawText() });
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(WORDS)
      .flatMap((name) => [`${name}.png`, `${name}.svg`])
      .sort(),
  );
  for (const [name, words] of Object.entries(WORDS)) {
    const svg = readFileSync(join(folder, `${name}.svg`), 'utf8');
    for (const word of words) expect(svg).toContain(`>${word}<`);
    expect([...readFileSync(join(folder, `${name}.png`)).subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  }
});

it('draws twice as many pixels as the SVG has', async () => {
  const png = Buffer.from(
    await pngOf('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="9" height="9"/></svg>'),
  );
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([60, 40]);
});
