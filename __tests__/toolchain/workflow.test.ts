/** The versions of Node and the commands that README, CONTRIBUTING and the workflow name are those that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES } from '../../scripts/nodes/binary.mjs';

const read = (path: string): string => readFileSync(join(__dirname, '..', '..', path), 'utf8');
const manifest = JSON.parse(read('package.json'));
const words = `${NODES.slice(0, -1).join(', ')} and ${NODES.at(-1)}`;

it('README names every version of Node that is tried, and the package admits the oldest', () => {
  expect(read('README.md').replaceAll(/\s+/g, ' ')).toContain(`Node ${words}`);
  expect(manifest.engines.node).toBe(`>=${Math.min(...NODES)}`);
});

it('the workflow runs on every system with every version', () => {
  const workflow = read('.github/workflows/ci.yml');
  expect(workflow).toContain(`node: [${NODES.join(', ')}]`);
  expect(workflow.match(/os: \[ubuntu-latest, macos-latest, windows-latest\]/g)?.length).toBe(2);
});

it.each(['.github/workflows/ci.yml', '.ci/run', 'README.md', 'CONTRIBUTING.md'])(
  '%s names no script that is not there',
  (path) => {
    const named = [...read(path).matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)].map(([, script, short]) => script ?? short);
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((script) => manifest.scripts[script as string] === undefined)).toEqual([]);
  },
);
