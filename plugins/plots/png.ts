/** Converts SVG to PNG. Text is drawn with the fonts of the machine; `canDrawText` tells whether it has any. */
import { argument, optionalPackage, refined } from 'tfjs-laplace/extend';

/** Pixels of the PNG for one unit of the SVG: 2, so that the picture is sharp on dense screens. */
const ZOOM = 2;

const A_LETTER =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="16" font-size="14" font-family="sans-serif">A</text></svg>';

const SvgText = refined('SVG text', (value): value is string => typeof value === 'string' && value.includes('<svg'));

const renderer = () => optionalPackage('A PNG picture', '@resvg/resvg-js', () => import('@resvg/resvg-js'));

/**
 * Draws an SVG picture as PNG.
 *
 * @param svg SVG text
 * @returns the bytes of a PNG file, with two pixels for one SVG unit. Rejects with `InvalidOption` for text that is
 *   no SVG, and with `Backend` without the package `@resvg/resvg-js`.
 */
export async function pngOf(svg: string): Promise<Uint8Array> {
  argument('pngOf', 'svg', SvgText, svg);
  const { Resvg } = await renderer();
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: ZOOM }, font: { loadSystemFonts: true } }).render().asPng();
}

/**
 * Whether a PNG shows text. On a machine without fonts it shows none, and the renderer gives no warning. Rejects with `Backend`
 * without the package `@resvg/resvg-js`.
 */
export async function canDrawText(): Promise<boolean> {
  const { Resvg } = await renderer();
  return new Resvg(A_LETTER).innerBBox() !== undefined;
}
