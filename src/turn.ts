/** A turn of the event loop: timers, drawing and whoever wants to stop the work come in between. */

/** Types of the DOM are not at home in a library that also runs in Node. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: undefined): void;
  close(): void;
}

/** One turn, without the millisecond (four in a browser) that the shortest timer takes. */
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
