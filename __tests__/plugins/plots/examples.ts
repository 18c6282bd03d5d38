/** Runs the examples of the pictures: run by `drawing.test.ts`, since Vega comes as ES modules only. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../docs/compile.js';
import { examplesIn } from '../../docs/extract.js';

const ROOT = process.cwd();
const FOLDER = 'plugins/plots';

const modules: Readonly<Record<string, unknown>> = {
  'tfjs-laplace': await import('tfjs-laplace'),
  'tfjs-laplace/plugins/plots': await import('tfjs-laplace/plugins/plots'),
};
const examples = readdirSync(join(ROOT, FOLDER)).flatMap((file) =>
  examplesIn(`${FOLDER}/${file}`, readFileSync(join(ROOT, FOLDER, file), 'utf8')),
);
const wrong: string[] = [];
for (const example of examples) {
  const { assertions, run } = compile(example, ROOT);
  let right = 0;
  await run(
    (specifier) => modules[specifier],
    (_, actual, expected) => {
      if (actual === expected) right++;
    },
    (shown) => shown,
  );
  if (assertions === 0 || right !== assertions) wrong.push(`${example.file}:${example.line}`);
}
process.stdout.write(JSON.stringify({ examples: examples.length, wrong }));
