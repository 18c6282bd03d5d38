/** Every command of docs/command-line.md, in its order, in a folder that has what the page speaks of. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, observe } from 'tfjs-laplace';
import { saveFactors } from 'tfjs-laplace/plugins/storage';
import { classifier, csvOf, examplesOf, said, workFolder } from './folder.js';

const PAGE = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'command-line.md'), 'utf8');
const COMMANDS = [...PAGE.matchAll(/^npx tfjs-laplace (.+)$/gm)].map(([, words]) => (words as string).split(' '));
const RECIPE = /```json\n([\s\S]*?)```/.exec(PAGE)?.[1] as string;

it('does what it says', async () => {
  const work = await workFolder();
  const former = process.cwd();
  try {
    process.chdir(work.at('.'));
    writeFileSync('recipe.json', RECIPE);
    writeFileSync('new.csv', csvOf(7));
    for (const [i, day] of ['monday', 'tuesday'].entries()) {
      const pass = from(batches(examplesOf(i + 1), 16)).pipe(observe(classifier(), 'categorical'), accumulateFactors());
      await saveFactors(await lastValueFrom(pass), `file://${day}.safetensors`);
    }
    expect(COMMANDS.length).toBeGreaterThanOrEqual(11);
    for (const words of COMMANDS) expect({ words, ...(await said(...words)) }).toMatchObject({ code: 0 });
  } finally {
    process.chdir(former);
    work.remove();
  }
});
