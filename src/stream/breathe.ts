/** Gives the event loop a turn every few milliseconds, so that timers, unsubscription and drawing go on during a pass. */

import { turn } from '../turn.js';

/** The longest time without a turn, in milliseconds: one frame of a display. */
const PATIENCE = 16;

/** Makes a function to await after each step of a long loop. */
export function breather(): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last < PATIENCE) return;
    await turn();
    last = Date.now();
  };
}
