/**
 * `npm run reference -- DIR [--backend node|wasm|cpu]`: checks the library against every reference document in DIR. Prints one
 * line for each case. Exits with 1 when a case is above its tolerance, or when no case was compared.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { compareDocument, type Quantity, TOLERANCES } from './reference/compare.js';
import type { ReferenceDocument } from './reference/document.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { backend: { type: 'string' } } });
const [directory] = positionals;
if (directory === undefined) {
  console.error('usage: npm run reference -- DIR [--backend node|wasm|cpu]');
  process.exit(2);
}

const backend = await useBackend(values.backend === undefined ? {} : { prefer: values.backend as 'node' | 'wasm' | 'cpu' });
const quantities = Object.keys(TOLERANCES) as Quantity[];
console.log(
  `backend ${backend.name}; largest relative errors, tolerances ${quantities.map((q) => `${q} ${TOLERANCES[q]}`).join(', ')}`,
);

const counts = { passed: 0, failed: 0, notCovered: 0 };
for (const file of readdirSync(directory)
  .filter((f) => f.endsWith('.json'))
  .sort()) {
  const doc = JSON.parse(readFileSync(join(directory, file), 'utf8')) as ReferenceDocument;
  for (const { label, errors, failed, notCovered: reason } of await compareDocument(doc)) {
    if (reason !== undefined) {
      counts.notCovered += 1;
      console.log(`not covered  ${label.padEnd(46)} ${reason}`);
      continue;
    }
    counts[failed.length === 0 ? 'passed' : 'failed'] += 1;
    const numbers = quantities.map((q) => `${q} ${errors[q].toExponential(1)}`).join('  ');
    console.log(`${failed.length === 0 ? 'ok         ' : 'FAILED     '}  ${label.padEnd(46)} ${numbers}`);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed; ${counts.notCovered} not covered`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
