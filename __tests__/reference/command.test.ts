/** How `npm run reference` ends. The command names its backend itself, so that this runs once. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReferenceDocument } from '../../scripts/reference/document.js';
import { run as runProgram, tool } from '../../scripts/setup/process.mjs';

const ROOT = join(__dirname, '..', '..');

const read = (name: string): ReferenceDocument => JSON.parse(readFileSync(join(__dirname, `${name}.json`), 'utf8'));

it('ends with 0 when all is well, with 1 for a wrong document or none that is covered', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reference-'));
  const folder = (name: string, document?: ReferenceDocument): string => {
    mkdirSync(join(directory, name));
    if (document) writeFileSync(join(directory, name, 'document.json'), JSON.stringify(document));
    return join(directory, name);
  };
  const run = (...args: string[]) => {
    const [program, ...tsx] = tool(ROOT, 'tsx');
    return runProgram(program, [...tsx, 'scripts/reference.ts', ...args, '--backend', 'cpu'], { cwd: ROOT });
  };
  try {
    const good = read('linear_gaussian');
    const first = good.curvatures[0] as ReferenceDocument['curvatures'][number];
    const wrong = { ...good, curvatures: [{ ...first, evidence: { ...first.evidence, scatter: 2 * first.evidence.scatter } }] };
    const foreign = { ...good, name: 'foreign', likelihood: 'student' };
    const mixed = folder('mixed', good);
    writeFileSync(join(mixed, 'foreign.json'), JSON.stringify(foreign));
    const runs = await Promise.all([run(mixed), run(folder('wrong', wrong)), run(folder('foreign', foreign))]);
    expect(runs.map((r) => r.code)).toEqual([0, 1, 1]);
    expect(runs[0]?.output).toMatch(/not covered +foreign exact +likelihood student/);
    expect(runs[0]?.output).toMatch(/3 passed, 0 failed; 3 not covered/);
    expect(runs[1]?.output).toMatch(/FAILED +linear_gaussian exact/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
