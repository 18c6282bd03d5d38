/** `npm run build:eigen`: rebuilds the WebAssembly module of the linear algebra. Run it after a change of its source or flags. */
import { writeFile } from 'node:fs/promises';
import { compile, MODULE, moduleText, obstacle, recipeHash } from './eigen/compile.mjs';

const reason = await obstacle();
if (reason !== undefined) {
  console.error(reason);
  process.exit(1);
}
const bytes = await compile();
await writeFile(MODULE, moduleText(bytes, await recipeHash()));
console.log(`${MODULE}: ${bytes.length} bytes`);
