/** The recipe on a short training: it prints evidence and held-out NLL of every network, and the evidence tells good from bad. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..', '..');

it('chooses a network that is near the best on held-out points, and far from the worst', async () => {
  const main = join(ROOT, 'recipes', 'evidence', 'main.ts');
  const command = ['--import', 'tsx', main, '--epochs', '150'];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT });
  const rows = [...stdout.matchAll(/^(?:linear|relu|tanh), .* (\S+) +(-?[\d.]+) *(◀.*)?$/gm)].map(
    ([, evidence, nll, marks = '']) => ({
      evidence: Number(evidence),
      nll: Number(nll),
      isChosen: marks.includes('evidence'),
    }),
  );
  expect(rows).toHaveLength(6);
  const chosen = rows.find(({ isChosen }) => isChosen);
  expect(chosen?.evidence).toBe(Math.max(...rows.map(({ evidence }) => evidence)));
  const nlls = rows.map(({ nll }) => nll);
  expect(chosen?.nll).toBeLessThan(Math.min(...nlls) + 0.3);
  expect(chosen?.nll).toBeLessThan(Math.max(...nlls) - 0.5);
});
