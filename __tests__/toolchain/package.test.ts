import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIBRARY_VERSION } from '../../src/version.js';

const root = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the package', () => {
  it('exports every plugin, and none that is not there', () => {
    const plugins = readdirSync(join(root, 'plugins')).filter((name) => existsSync(join(root, 'plugins', name, 'index.ts')));
    const exported = Object.keys(manifest.exports).filter((path) => path.startsWith('./plugins/'));
    expect(exported.sort()).toEqual(plugins.map((name) => `./plugins/${name}`).sort());
  });

  it('has one version: files say which one wrote them', () => {
    expect(LIBRARY_VERSION).toBe(manifest.version);
  });

  it('pins what it is developed with', () => {
    expect(Object.values<string>(manifest.devDependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('builds its native binding on the TensorFlow that its requirements name', async () => {
    const { TENSORFLOW } = await import('../../scripts/setup/native/places.mjs');
    const requirements = readFileSync(join(root, 'scripts', 'setup', 'native', 'requirements.txt'), 'utf8');
    expect(requirements).toMatch(new RegExp(`^tensorflow-cpu==${TENSORFLOW.version} --hash=sha256:[0-9a-f]{64}$`, 'm'));
  });
});
