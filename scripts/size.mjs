/** `npm run size`: prints what the built package adds to a page, bundled by Vite, minified and compressed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed } from './browser/app.mjs';
import { sizes } from './browser/sizes.mjs';

const app = mkdtempSync(join(tmpdir(), 'size-'));
try {
  await installed(fileURLToPath(new URL('..', import.meta.url)), app);
  for (const { what, size } of Object.values(await sizes(app))) {
    const kB = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(0)} kB`.padStart(8);
    console.log(`${what.padEnd(60)} ${kB(size.minified)} minified ${kB(size.gzip)} gzip`);
  }
} finally {
  rmSync(app, { recursive: true });
}
