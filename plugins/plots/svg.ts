/** A Vega-Lite specification as SVG, without a canvas. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { config } from './theme.js';

/** The picture of a specification. The same specification gives the same text. */
export async function svgOf(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec, { config }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
