/** Draws a Vega-Lite specification as SVG, without a canvas. */
import { optionalPackage } from 'tfjs-laplace/extend';
import type { TopLevelSpec } from 'vega-lite';
import { config } from './theme.js';

/** What a chart needs, and its PNG. */
const PACKAGES = 'vega vega-lite @resvg/resvg-js';

/**
 * Draws the picture of a specification. The same specification always gives the same text.
 *
 * Vega is imported here and not at the top of the file: its modules use top-level await, so that `require` cannot load them.
 *
 * @returns SVG text. Rejects with `Backend` without the packages `vega` and `vega-lite`.
 */
async function svgOf(spec: TopLevelSpec): Promise<string> {
  const { parse, View } = await optionalPackage('A chart', 'vega', () => import('vega'), PACKAGES);
  const { compile } = await optionalPackage('A chart', 'vega-lite', () => import('vega-lite'), PACKAGES);
  const view = new View(parse(compile(spec, { config }).spec), { renderer: 'none' });
  try {
    return renumbered(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Vega counts the clipping paths of all pictures of a process: here those of one picture are counted from 0. */
function renumbered(svg: string): string {
  const numbers = new Map<string, number>();
  return svg.replace(/(<clipPath id="|clip-path="url\(#)clip(\d+)/g, (_, before: string, id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return `${before}clip${numbers.get(id)}`;
  });
}

/** The picture of data, by their specification. Rejects with `InvalidOption` for data that are wrong. */
export const drawn = async <D>(specOf: (data: D) => TopLevelSpec, data: D): Promise<string> => svgOf(specOf(data));
