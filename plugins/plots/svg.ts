/** A Vega-Lite specification as SVG, without a canvas. */
import type { TopLevelSpec } from 'vega-lite';
import { config } from './theme.js';

/**
 * The picture of a specification. The same specification gives the same text. Vega is loaded with the first picture: its modules
 * await something as they load, and so cannot be required.
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
