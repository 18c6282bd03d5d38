/** Small grey images, each with its predictive distribution as bars beside it. */
import { array, defaulted, finite, optionsOf, positiveInteger, struct } from 'tfjs-laplace/extend';
import { HEADING, lines, numbers } from './data.js';
import { COLOURS, FONT, GRID, INK, SOFT } from './theme.js';

/** An image and its predictive distribution. */
export interface GalleryItem {
  /** Grey values in [0, 1], side x side of them, row by row; 0 is paper and 1 is ink. */
  readonly image: ArrayLike<number>;
  /** One probability for each class. */
  readonly probabilities: ArrayLike<number>;
  /** The right class. */
  readonly label: number;
  /** Short lines under the bars; there is room for two. */
  readonly captions: ReadonlyArray<string>;
}

export interface GalleryData {
  readonly title: string;
  readonly subtitle?: string;
  /** Width and height of an image in pixels. */
  readonly side: number;
  readonly items: ReadonlyArray<GalleryItem>;
  /** Items beside each other. Default 2. */
  readonly columns?: number;
}

const Data = struct('data', {
  ...HEADING,
  side: positiveInteger,
  columns: defaulted(positiveInteger, 2),
  items: array(
    'a list of images',
    struct('an image', { image: numbers, probabilities: numbers, label: finite, captions: lines }),
  ),
});

const PIXEL = 4;
const BAR = { width: 15, gap: 4, height: 84 };
const CELL = { gap: 26, padding: 12 };
/** Width for the captions, in SVG units like all sizes here. */
const CAPTION = 210;
const MARGIN = 20;
const HEAD = 62;
const LEVELS = 16;

/**
 * Draws the gallery. The bar of the right class is blue, the other bars are orange.
 *
 * @returns SVG text
 */
export function gallery(data: GalleryData): string {
  const { items, columns, side, title, subtitle } = optionsOf('gallery', Data, data);
  const image = side * PIXEL;
  const classes = items[0]?.probabilities.length ?? 0;
  const bars = Math.max(classes * (BAR.width + BAR.gap), CAPTION);
  const cell = { width: image + 28 + bars + 2 * CELL.padding, height: Math.max(image, BAR.height + 48) + 2 * CELL.padding };
  const rows = Math.ceil(items.length / columns);
  const width = 2 * MARGIN + columns * cell.width + (columns - 1) * CELL.gap;
  const height = HEAD + MARGIN + rows * cell.height + (rows - 1) * CELL.padding + 26;
  const cells = items.map((item, i) => {
    const x = MARGIN + (i % columns) * (cell.width + CELL.gap);
    const y = HEAD + MARGIN / 2 + Math.floor(i / columns) * (cell.height + CELL.padding);
    return `<g transform="translate(${x} ${y})">${frame(cell)}${picture(item.image, side)}${chart(item, image + 28)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(MARGIN, 30, title, { size: 16, weight: 600 }),
    subtitle === undefined ? '' : text(MARGIN, 50, subtitle, { size: 12, fill: SOFT }),
    ...cells,
    legend(MARGIN, height - 16),
    '</svg>',
  ].join('\n');
}

const frame = ({ width, height }: { readonly width: number; readonly height: number }): string =>
  `<rect width="${width}" height="${height}" rx="6" fill="none" stroke="${GRID}"/>`;

/** Draws one path for each grey level, so that a digit takes only a few kilobytes. */
function picture(image: ArrayLike<number>, side: number): string {
  const paths = Array.from({ length: LEVELS }, () => '');
  for (let i = 0; i < side * side; i++) {
    const level = Math.round(Math.min(1, Math.max(0, image[i] as number)) * LEVELS);
    if (level === 0) continue;
    const [x, y] = [(i % side) * PIXEL, Math.floor(i / side) * PIXEL];
    paths[level - 1] += `M${x} ${y}h${PIXEL}v${PIXEL}h-${PIXEL}z`;
  }
  const inked = paths.map((d, level) => (d === '' ? '' : `<path d="${d}" fill-opacity="${(level + 1) / LEVELS}"/>`)).join('');
  const edge = side * PIXEL;
  return `<g transform="translate(${CELL.padding} ${CELL.padding})" fill="black" shape-rendering="crispEdges"><rect width="${edge}" height="${edge}" fill="#f4f4f4"/>${inked}</g>`;
}

function chart({ probabilities, label, captions }: GalleryItem, left: number): string {
  const parts: string[] = [];
  for (let c = 0; c < probabilities.length; c++) {
    const p = probabilities[c] as number;
    const x = c * (BAR.width + BAR.gap);
    const h = Math.max(0.75, p * BAR.height);
    const fill = c === label ? COLOURS[0] : COLOURS[1];
    parts.push(
      `<rect x="${x}" y="${(BAR.height - h).toFixed(2)}" width="${BAR.width}" height="${h.toFixed(2)}" fill="${fill}"/>`,
    );
    const weight = c === label ? 700 : 400;
    parts.push(text(x + BAR.width / 2, BAR.height + 14, String(c), { size: 11, anchor: 'middle', weight }));
  }
  const width = probabilities.length * (BAR.width + BAR.gap) - BAR.gap;
  const top = `<line x1="0" x2="${width}" y1="0" y2="0" stroke="${GRID}" stroke-dasharray="3 3"/>`;
  const axis = `<line x1="0" x2="${width}" y1="${BAR.height}" y2="${BAR.height}" stroke="${SOFT}"/>`;
  const ticks =
    text(-5, 4, '1', { size: 9, anchor: 'end', fill: SOFT }) + text(-5, BAR.height, '0', { size: 9, anchor: 'end', fill: SOFT });
  const words = captions.map((line, i) => text(0, BAR.height + 31 + 14 * i, line, { size: 11, fill: SOFT }));
  return `<g transform="translate(${left + CELL.padding} ${CELL.padding})">${top}${parts.join('')}${axis}${ticks}${words.join('')}</g>`;
}

function legend(x: number, y: number): string {
  const box = (left: number, fill: string | undefined, words: string): string =>
    `<rect x="${left}" y="${y - 10}" width="12" height="12" fill="${fill}"/>${text(left + 18, y, words, { size: 11 })}`;
  return box(x, COLOURS[0], 'probability of the right class') + box(x + 200, COLOURS[1], 'probability of a wrong class');
}

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly anchor?: 'middle' | 'end';
  readonly fill?: string;
}

function text(x: number, y: number, words: string, { size, weight = 400, anchor, fill = INK }: TextStyle): string {
  const where = anchor === undefined ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}"${where}>${escaped(words)}</text>`;
}

const escaped = (words: string): string => words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
