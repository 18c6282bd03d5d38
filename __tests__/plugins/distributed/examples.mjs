/** A data set that is computed: example i is always the same. Its options make workers fail on purpose. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';

/** @param {number} i */
const numbers = (i) => [Math.sin(3 * i), Math.cos(5 * i), Math.sin(i * i)];

/** @param {{ first: number, end: number, options?: { log?: string, throwsAt?: number, killsAt?: number, killsOnce?: string, wrongAt?: number, delay?: number } }} range */
export function open({ first, end, options = {} }) {
  const { log, throwsAt, killsAt, killsOnce, wrongAt, delay } = options;
  if (log !== undefined) appendFileSync(log, `${first} ${process.pid}\n`);
  if (throwsAt === first) throw new Error('the examples cannot be read');
  if (killsAt === first && (killsOnce === undefined || !existsSync(killsOnce))) {
    if (killsOnce !== undefined) writeFileSync(killsOnce, '');
    process.kill(process.pid, 'SIGKILL');
  }
  // The process can do nothing else meanwhile.
  if (delay !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
  const range = Array.from({ length: end - first - (wrongAt === first ? 1 : 0) }, (_, i) => first + i);
  return { x: range.map(numbers), y: range.map((i) => i % 3) };
}
