/** The checks that need no build, as tests: so that one command and one count tell whether all is well. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

it.each(['types', 'lint', 'imports'])('npm run %s has nothing to say', async (script) => {
  const { stdout, stderr, code } = await promisify(execFile)('npm', ['run', '--silent', script], {
    cwd: join(__dirname, '..', '..'),
    shell: process.platform === 'win32',
  }).then(
    (output) => ({ ...output, code: 0 }),
    (failure) => failure,
  );
  if (code !== 0) throw new Error(`${stdout}${stderr}`);
});
