/** Converts SVG to PNG. Text is drawn with the fonts of the machine; `canDrawText` tells whether it has any. */
import { Resvg } from '@resvg/resvg-js';

/** Pixels of the PNG for one unit of the SVG: 2, so that the picture is sharp on dense screens. */
const ZOOM = 2;

/**
 * Draws an SVG picture as PNG.
 *
 * @param svg SVG text
 * @returns the bytes of a PNG file, with two pixels for one SVG unit
 */
export const pngOf = (svg: string): Uint8Array =>
  new Resvg(svg, { fitTo: { mode: 'zoom', value: ZOOM }, font: { loadSystemFonts: true } }).render().asPng();

/** Whether a PNG shows text. On a machine without fonts it shows none, and the renderer gives no warning. */
export const canDrawText = (): boolean =>
  new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="16" font-size="14" font-family="sans-serif">A</text></svg>',
  ).innerBBox() !== undefined;
