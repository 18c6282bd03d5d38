import { run } from '../../scripts/setup/process.mjs';
import { quiet } from '../../scripts/setup/quiet.mjs';

const flags = new Set(['--disable-warning']);

it('adds to what the user has set, and overrides nothing', () => {
  const { NODE_OPTIONS, TF_CPP_MIN_LOG_LEVEL } = quiet({ NODE_OPTIONS: '--no-opt', TF_CPP_MIN_LOG_LEVEL: '0' }, flags);
  expect(NODE_OPTIONS).toMatch(/^--no-opt --disable-warning=DEP0044/);
  expect(TF_CPP_MIN_LOG_LEVEL).toBe('0');
});

it('gives no flag to a Node that would refuse it', () => {
  expect(quiet({}, new Set())).toEqual({ TF_CPP_MIN_LOG_LEVEL: '2' });
});

it('gives flags that this Node takes', async () => {
  const program = "process.emitWarning('old', 'DeprecationWarning', 'DEP0044'); process.emitWarning('other')";
  const { code, output } = await run(process.execPath, ['-e', program], { env: quiet({}) });
  expect(code).toBe(0);
  expect(output).toContain('other');
  if (process.allowedNodeEnvironmentFlags.has('--disable-warning')) expect(output).not.toContain('DEP0044');
});
