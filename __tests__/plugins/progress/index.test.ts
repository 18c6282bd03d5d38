import { duration, terminalProgress } from 'tfjs-laplace/plugins/progress';
import { count } from '../../../plugins/progress/words.js';

/** An output that remembers, and a clock that is set. */
function bench({ isTTY = false } = {}) {
  const written: string[] = [];
  const clock = { now: 0 };
  // What cli-progress asks of a terminal.
  const screen = { isTTY, columns: 120, write: (text: string) => void written.push(text) };
  return { written, clock, options: { output: screen, now: () => clock.now } };
}

const event = (done: number, total?: number) => ({
  phase: 'predict' as const,
  done,
  unit: 'batches',
  ...(total === undefined ? {} : { total }),
});

describe('in a pipe', () => {
  it('writes a line every five seconds, and one at the end', async () => {
    const { written, clock, options } = bench();
    const result = await terminalProgress(options).step('Predicting', async (onProgress) => {
      for (let i = 1; i <= 12; i++) {
        clock.now += 1000;
        onProgress(event(i, 12));
      }
      return 'done';
    });
    expect(result).toBe('done');
    expect(written).toEqual(['Predicting: 5 of 12 batches\n', 'Predicting: 10 of 12 batches\n', 'Predicting took 12.0 s\n']);
  });

  it('writes every event when verbose', async () => {
    const { written, options } = bench();
    await terminalProgress({ ...options, loudness: 'verbose' }).step('Predicting', (onProgress) =>
      [1, 2].map((i) => onProgress(event(i))),
    );
    expect(written).toEqual(['Predicting: 1 batches\n', 'Predicting: 2 batches\n', 'Predicting took 0 ms\n']);
  });

  it('writes nothing when quiet', async () => {
    const { written, options } = bench({ isTTY: true });
    await terminalProgress({ ...options, loudness: 'quiet' }).step('Predicting', (onProgress) => onProgress(event(1, 1)));
    expect(written).toEqual([]);
  });
});

it('says that a step failed, and hands its error on', async () => {
  const { written, clock, options } = bench();
  const step = terminalProgress(options).step('Predicting', async () => {
    clock.now = 61_000;
    throw new Error('no');
  });
  await expect(step).rejects.toThrow('no');
  expect(written).toEqual(['Predicting failed after 1 min 1 s\n']);
});

it('draws a bar on a screen, and leaves one line of it', async () => {
  const { written, clock, options } = bench({ isTTY: true });
  await terminalProgress(options).step('Predicting', (onProgress) => {
    clock.now = 1500;
    onProgress({ ...event(1, 4), detail: 'here' });
    onProgress(event(4, 4));
  });
  const drawn = written.join('');
  expect(drawn).toContain('1 of 4 batches, here');
  expect(drawn).toContain('█');
  expect(written.at(-1)).toBe('\r\u001b[KPredicting took 1.5 s\n');
});

it('draws no bar of what has no end', async () => {
  const { written, options } = bench({ isTTY: true });
  await terminalProgress(options).step('Sampling', (onProgress) => onProgress(event(7)));
  expect(written.join('')).toContain('7 batches');
  expect(written.join('')).not.toMatch(/[█░]/);
});

it('puts durations and counts in words', () => {
  expect([3.4, 999, 1000, 59_900, 59_960, 127_000].map(duration)).toEqual([
    '3 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min 0 s',
    '2 min 7 s',
  ]);
  expect(count({ ...event(2, 3), detail: 'layer' })).toBe('2 of 3 batches, layer');
});
