/** Draws a Vega-Lite specification as SVG, without a canvas. */
import type { TopLevelSpec } from 'vega-lite';
import { config } from './theme.js';

/**
 * Draws the picture of a specification. The same specification always gives the same text.
 *
 * Vega is imported here and not at the top of the file: its modules use top-level await, so that `require` cannot load them.
 *
 * @returns SVG text
 */
export async function svgOf(spec: TopLevelSpec): Promise<string> {
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec, { config }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
