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
  tuning: [
    'Tuning title',
    'Band: ± one standard error of the difference to the network',
    'NLL (nats)',
    'output scale s',
    'prior precision τ',
    'network',
    'network, fitted',
    'widest (chosen), τ = 0.1',
    'best, evidence, τ = 10',
  ],
  evidence: [
    'Evidence title',
    'Solid: evidence; dashed: log-likelihood; dotted: Occam term',
    'hidden: largest at τ = 10',
    'log marginal likelihood and its parts (nats)',
    'prior precision τ',
  ],
  risk: [
    'Risk title',
    'Dashed: the best order of the same losses (oracle)',
    'entropy: AURC 0.500',
    'coverage (share of the predictions that are kept)',
    'risk (share of wrong predictions)',
  ],
  roc: ['ROC title', 'entropy: AUROC 0.750', 'false positive rate', 'true positive rate'],
  precisionRecall: ['Recall title', 'entropy: AUPR 0.750', 'recall (true positive rate)', 'precision'],
  pit: ['PIT title', 'MAP (4 values): 0 of 2 bins outside', 'probability integral transform of the target', 'density'],
  sets: ['Set title', 'LAC: coverage 0.500, mean size 1.50', 'number of classes in the set', '% of the sets', '50'],
  bands: ['Band title', 'time (s)', 'way (m)', 'total, 95 %', 'mean and its epistemic part, 95 %', 'conformal'],
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

it('draws what the examples of the documentation draw', async () => {
  const script = join(__dirname, 'examples.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { cwd: ROOT });
  const { examples, wrong } = JSON.parse(stdout);
  expect(wrong).toEqual([]);
  expect(examples).toBeGreaterThan(0);
});

it('draws twice as many pixels as the SVG has', async () => {
  const png = Buffer.from(
    await pngOf('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="9" height="9"/></svg>'),
  );
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([60, 40]);
});
