/** SVG as PNG. Text is drawn with the machine's fonts: `canDrawText` says whether there are any. */
import { Resvg } from '@resvg/resvg-js';

/** Pixels of the PNG to one of the SVG: sharp on dense screens. */
const ZOOM = 2;

/** The picture as a PNG file's bytes. */
export const pngOf = (svg: string): Uint8Array =>
  new Resvg(svg, { fitTo: { mode: 'zoom', value: ZOOM }, font: { loadSystemFonts: true } }).render().asPng();

/** Whether letters appear in a PNG: false on a machine without a font, where a picture would lose its words without a warning. */
export const canDrawText = (): boolean =>
  new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="16" font-size="14" font-family="sans-serif">A</text></svg>',
  ).innerBBox() !== undefined;
