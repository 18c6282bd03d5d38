import { isInstalled } from '../../scripts/setup/dependencies.mjs';

const lock = (packages: Record<string, { version: string; optional?: boolean }>) => ({ packages: { '': {}, ...packages } });
const wanted = lock({
  'node_modules/a': { version: '1.0.0' },
  'node_modules/for-another-system': { version: '1.0.0', optional: true },
});

it.each([
  ['a fresh clone', undefined, false],
  ['what the lock file asks for', lock({ 'node_modules/a': { version: '1.0.0' } }), true],
  ['a package that lacks', lock({}), false],
  ['a package of another version', lock({ 'node_modules/a': { version: '1.0.1' } }), false],
  ['one package more', lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } }), true],
])('%s', (_, installed, expected) => {
  expect(isInstalled(wanted, installed)).toBe(expected);
});
