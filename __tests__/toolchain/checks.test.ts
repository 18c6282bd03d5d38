/** The checks that need no build, as tests: so that one command and one count tell whether all is well. */
import { join } from 'node:path';
import { runNpm } from '../../scripts/setup/process.mjs';

it.each(['types', 'lint', 'imports'])('npm run %s has nothing to say', async (script) => {
  const { code, output } = await runNpm(['run', '--silent', script], { cwd: join(__dirname, '..', '..') });
  if (code !== 0) throw new Error(output);
});
