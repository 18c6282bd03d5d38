/** Measures the time of a piece of work, and the memory of this process, as Linux counts it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { median } from '../harness.js';

/** Time and memory of a piece of work. */
export interface Measured {
  /** Median time of the repeats, in milliseconds. */
  readonly ms: number;
  /** The most resident memory of the process, minus what it had at the start, in bytes. */
  readonly bytes: number;
}

function status(field: string): number {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(field));
  return Number(line?.split(/\s+/)[1]) * 1024;
}

/** Runs a piece of work `repeats` times, and measures it. */
export async function measured(run: () => unknown, repeats = 1): Promise<Measured> {
  // Resets the peak that Linux remembers to what the process holds now.
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
