/**
 * Times subjects within one process. Every subject is warmed up, then all subjects take turns for several rounds, so that a drift
 * of the machine affects all alike. Times are medians, and comparisons are ratios of medians.
 */
import { join } from 'node:path';
import { textTable } from 'tfjs-laplace/extend';
import { writeWhole } from 'tfjs-laplace/plugins/storage';

/** A piece of work to be timed. */
export interface Subject {
  readonly name: string;
  readonly run: () => Promise<void> | void;
  /** Floating-point operations of one run, where they can be counted. */
  readonly operations?: number;
}

/** One line of a benchmark's table. */
export interface Row {
  readonly name: string;
  readonly ms: number;
  /** Operations per second relative to a plain 1200³ matrix product in the same run; 1 is equal. */
  readonly share?: number;
  /** Milliseconds that another library takes for the same work. A benchmark with such rows prints its own table. */
  readonly peerMs?: number;
  /** Peak memory of this library, in bytes. */
  readonly bytes?: number;
  /** Peak memory of the other library, in bytes. */
  readonly peerBytes?: number;
}

/** A bar: `value` must be at most `limit` if `atMost`, and at least `limit` otherwise. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly atMost: boolean;
}

/** Results that are no times, as a table of text. */
export interface Table {
  readonly title: string;
  readonly head: ReadonlyArray<string>;
  readonly rows: ReadonlyArray<ReadonlyArray<string>>;
}

/** The results of a benchmark file. */
export interface BenchResult {
  readonly rows: ReadonlyArray<Row>;
  readonly tables?: ReadonlyArray<Table>;
  readonly bars: ReadonlyArray<Bar>;
  readonly notes?: ReadonlyArray<string>;
}

/**
 * Times subjects that take turns.
 *
 * @param rounds timed runs of each subject
 * @param warmup runs of each subject before them, which are not timed
 * @returns median milliseconds of each subject, by its name
 */
export async function time(subjects: ReadonlyArray<Subject>, rounds: number, warmup = 2): Promise<Map<string, number>> {
  const samples = new Map<string, number[]>(subjects.map((s) => [s.name, []]));
  for (let round = -warmup; round < rounds; round++) {
    for (const { name, run } of subjects) {
      const start = performance.now();
      await run();
      if (round >= 0) samples.get(name)?.push(performance.now() - start);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

export const met = ({ value, limit, atMost }: Bar): boolean => (atMost ? value <= limit : value >= limit);

/**
 * Prints the table and the bars, and writes `out/bench/NAME.json`.
 *
 * @returns whether every bar is met
 */
export async function report(name: string, { rows, tables = [], bars, notes = [] }: BenchResult): Promise<boolean> {
  const width = Math.max(...rows.map((r) => r.name.length));
  console.log(`\n${name}`);
  for (const { title, head, rows: cells } of tables) console.log(`\n${title}\n\n${textTable(head, cells)}\n`);
  for (const { name: label, ms, share, peerMs } of rows) {
    if (peerMs !== undefined) continue;
    const speed = share === undefined ? '' : `   ${(100 * share).toFixed(0).padStart(3)} % of the matmul's speed`;
    console.log(`  ${label.padEnd(width)}  ${ms.toFixed(ms < 10 ? 2 : 1).padStart(9)} ms${speed}`);
  }
  for (const note of notes) console.log(`  ${note}`);
  for (const bar of bars) {
    const sign = bar.atMost ? '<=' : '>=';
    console.log(`  ${met(bar) ? 'met   ' : 'MISSED'}  ${bar.name}: ${bar.value.toPrecision(3)} (bar ${sign} ${bar.limit})`);
  }
  const results = { name, rows, tables, bars: bars.map((b) => ({ ...b, met: met(b) })), notes };
  await writeWhole(join('out', 'bench', `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
  return bars.every(met);
}
