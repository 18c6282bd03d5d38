/** Gives the event loop a turn when it has waited long enough, so that timers, unsubscription and drawing go on during a pass. */

import { turn } from '../turn.js';

/** Longest time without a turn, in milliseconds: one frame. */
const PATIENCE = 16;

/** A function to await after each step of a long loop. */
export function breather(): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last < PATIENCE) return;
    await turn();
    last = Date.now();
  };
}
