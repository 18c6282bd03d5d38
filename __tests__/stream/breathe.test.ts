/** A long loop lets the event loop have its turn: timers run, and without any wait of a timer's own. */
import { breather } from '../../src/stream/breathe.js';

/** Works without pause for so many milliseconds: more than one frame. */
function work(ms: number): void {
  for (const start = Date.now(); Date.now() - start < ms; );
}

async function timersThatRun(): Promise<number> {
  const breathe = breather();
  let ran = 0;
  const timer = setInterval(() => {
    ran += 1;
  }, 1);
  for (let step = 0; step < 5; step++) {
    work(20);
    await breathe();
  }
  clearInterval(timer);
  return ran;
}

it('lets timers run between steps', async () => {
  expect(await timersThatRun()).toBeGreaterThanOrEqual(4);
});

it('does so where there is no setImmediate, as in browsers', async () => {
  const { setImmediate } = globalThis;
  Reflect.deleteProperty(globalThis, 'setImmediate');
  try {
    expect(await timersThatRun()).toBeGreaterThanOrEqual(3);
  } finally {
    globalThis.setImmediate = setImmediate;
  }
});

it('gives no turn before a frame has passed', async () => {
  // The clock stands still, however slow the machine is.
  const clock = jest.spyOn(Date, 'now').mockReturnValue(0);
  try {
    const breathe = breather();
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await breathe();
    expect(turned).toBe(false);
  } finally {
    clock.mockRestore();
  }
});
