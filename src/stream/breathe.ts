/** Gives the event loop a turn when it has waited long enough, so that timers, unsubscription and drawing go on during a pass. */

/** Longest time without a turn, in milliseconds: one frame. */
const PATIENCE = 16;

/** Types of the DOM are not at home in a library that also runs in Node. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: undefined): void;
  close(): void;
}

/** One turn, without the millisecond (four in a browser) that the shortest timer takes. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel() as unknown as { readonly port1: Port; readonly port2: Port };
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

/** A function to await after each step of a long loop. */
export function breather(): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last < PATIENCE) return;
    await turn();
    last = Date.now();
  };
}
