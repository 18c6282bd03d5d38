/**
 * `npm run fuzz -- --cases N --seed S`: runs random cases of every kind, and ends with 1 if one of them shows a mistake. A finding is printed in
 * its smallest form, with the command that runs it again. `--help` lists the kinds.
 */
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';
import { askedBy, helpFor } from './fuzz/arguments.js';
import type { Finding, Kind } from './fuzz/kind.js';
import { KINDS, sharesOf } from './fuzz/kinds.js';

// TensorFlow reads these when its binding loads. Without oneDNN the order of float sums does not depend on the machine.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';

const asked = askedBy(process.argv.slice(2), KINDS);
if (asked._tag === 'help') {
  console.log(helpFor(KINDS));
  process.exit(0);
}
if (asked._tag === 'wrong') {
  console.error(`${asked.why}\n\n${helpFor(KINDS)}`);
  process.exit(2);
}

const { kinds, cases, seed, path } = asked;
const { name } = await useBackend();
const progress = terminalProgress();

const print = ({ name: kind }: Kind, finding: Finding): void => {
  console.log(`\nA finding of the kind ${kind}, seed ${seed}, path ${finding.path}:\n${finding.shown}\n\n${finding.error}\n`);
  console.log(`Run it again: npm run fuzz -- --only ${kind} --seed ${seed} --path ${finding.path}`);
};

const start = performance.now();
const counts: string[] = [];
let all = 0;
let found = 0;
for (const [kind, share] of sharesOf(kinds, cases)) {
  const began = performance.now();
  const ran = await progress.step(kind.name, (onProgress) => {
    let done = 0;
    const onCase = () => onProgress({ phase: 'observe', done: ++done, total: Math.max(done, share), unit: 'batches' });
    return kind.run({ seed, cases: share, path, onCase });
  });
  const seconds = (performance.now() - began) / 1000;
  counts.push(`${ran.cases} ${kind.name} (${seconds.toFixed(1)} s)`);
  all += ran.cases;
  if (ran.finding === undefined) continue;
  found += 1;
  print(kind, ran.finding);
}
const seconds = (performance.now() - start) / 1000;
const rate = (all / seconds).toFixed(1);
console.log(
  `seed ${seed} on ${name}: ${counts.join(', ')}; ${all} cases in ${seconds.toFixed(1)} s, ${rate} a second; findings: ${found}`,
);
process.exit(found === 0 ? 0 : 1);
