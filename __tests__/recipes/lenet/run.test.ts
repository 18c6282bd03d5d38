import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..', '..');

it('covers a network with batch normalisation whole, compares structures of curvature, and draws', async () => {
  const out = mkdtempSync(join(tmpdir(), 'lenet-'));
  try {
    const main = join(ROOT, 'recipes', 'lenet', 'main.ts');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', main, '--quick', '--quiet', '--out', out],
      {
        cwd: ROOT,
        env: process.env,
      },
    );
    expect(stdout).toMatch(/^conv1 +Conv2D +kronecker +150 /m);
    expect(stdout).toMatch(/^conv2_norm +BatchNormalization +diagonal +32 /m);
    expect(stdout).toContain('61728 of 61728 weights are covered (100.0 %)');
    /** Weights, rows an example, τ, s, accuracy, NLL, ECE and AUROC of a line. */
    const numbers = (title: string) =>
      (new RegExp(`^${title} {2,}(.*)$`, 'm').exec(stdout)?.[1] ?? '')
        .split(/ {2,}/)
        .map((cell) => Number(cell.replace(/[,%]/g, '')));
    const map = numbers('MAP');
    expect(map).toHaveLength(4);
    for (const title of ['kfac', 'ekfac', 'diagonal', 'kfac, last layer']) {
      const [weights, rows, , , accuracy, nll, ece, auroc] = numbers(title) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      expect(weights).toBe(title === 'kfac, last layer' ? 850 : 61728);
      // Ten classes, of which a trained network needs few; of its last layer alone nothing is sent back.
      if (title === 'kfac, last layer') expect(rows).toBe(0);
      else expect(rows).toBeGreaterThan(0);
      expect(rows).toBeLessThan(8);
      // The posterior's mean is the network: it predicts about the same, and not much worse.
      expect(Math.abs(accuracy - (map[0] as number))).toBeLessThan(5);
      expect(nll).toBeLessThan((map[1] as number) + 0.1);
      expect(ece).toBeGreaterThan(0);
      expect(auroc).toBeGreaterThan(0.5);
    }
    expect(readdirSync(out).sort()).toEqual(['reliability.png', 'reliability.svg']);
  } finally {
    rmSync(out, { recursive: true });
  }
});
