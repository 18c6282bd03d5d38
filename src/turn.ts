/** Waits for one turn of the event loop, so that timers, drawing and requests to stop the work get their chance in between. */

/** The part of the DOM's `MessagePort` that is used here. The library is typed without the DOM, as it also runs in Node. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: undefined): void;
  close(): void;
}

/** Resolves after one turn of the event loop. It uses no timer: the shortest one takes a millisecond (four in a browser). */
export const turn = (): Promise<void> =>
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
