/** What a process holds in memory, as Linux counts it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { median } from '../harness.js';

/** A measured work. */
export interface Measured {
  /** Median of the repeats. */
  readonly ms: number;
  /** The most bytes that the process held above what it had before. */
  readonly bytes: number;
}

function status(field: string): number {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(field));
  return Number(line?.split(/\s+/)[1]) * 1024;
}

/** Runs a work several times. */
export async function measured(run: () => unknown, repeats = 1): Promise<Measured> {
  // Sets the peak back to what is held now.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS');
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return { ms: median(times), bytes: status('VmHWM') - before };
}
