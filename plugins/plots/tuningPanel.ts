/** One panel of the picture of `tune`: a curve over the prior precision, the network as dashed lines, and the marks of the rules. */
import { COLOURS, INK, SOFT, WIDTH } from './theme.js';
import { apart, errorOf, type Mark, type Tried } from './tuningMarks.js';

/** Width of a panel, in SVG units like all sizes here. The words of its lines stand to the right of it. */
export const PANEL = WIDTH - 90;
/** Height of a row of words above the panel. */
const ROW = 16;

/** A dashed line across the panel, with its words. */
export interface Line {
  readonly value: number;
  readonly words: string;
  readonly isChosen: boolean;
}

interface Scale {
  readonly type: 'linear' | 'log';
  readonly domain: number[];
  readonly nice: boolean;
}

interface Axis {
  readonly title: string | null;
  readonly scale: Scale;
  readonly axis?: { readonly values: number[]; readonly labelExpr: string; readonly labels?: boolean };
}

export interface PanelData {
  /** What is drawn: the criterion with its band, or the scale. */
  readonly field: 'criterion' | 'scale';
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly tried: ReadonlyArray<Tried>;
  readonly marks: ReadonlyArray<Mark>;
  readonly lines: ReadonlyArray<Line>;
}

const [CURVE, MARK] = COLOURS as [string, string];

/** How far below the upper end of a panel it is told what lies beyond it. */
const BELOW = 12;

export function panelOf({ field, height, x, y, tried, marks, lines }: PanelData) {
  const X = { field: 'precision', type: 'quantitative' as const, ...x };
  const Y = { type: 'quantitative' as const, ...y };
  const points = { x: X, y: { ...Y, field } };
  // Vega writes into its data, and those of the caller may be frozen.
  const rows = tried.map((own) => ({ ...own, low: own.criterion - errorOf(own), high: own.criterion + errorOf(own) }));
  const band = {
    data: { values: rows },
    mark: { type: 'area' as const, color: CURVE, opacity: 0.2, clip: true },
    encoding: { x: X, y: { ...Y, field: 'low' }, y2: { field: 'high' } },
  };
  const isBeyond = ({ value }: Line): boolean => value > (y.scale.domain[1] as number);
  // What lies beyond is told below the upper end, where the words of a mark at the right edge do not reach.
  const heights = apart(lines.map((line) => (isBeyond(line) ? BELOW : heightOf(y.scale, height, line.value))));
  return {
    width: PANEL,
    height,
    layer: [
      ...(field === 'criterion' ? [band] : []),
      {
        data: { values: lines.filter((line) => !isBeyond(line)).map((line) => ({ ...line })) },
        mark: { type: 'rule' as const, color: SOFT, strokeDash: [5, 4], strokeWidth: 1.2 },
        encoding: { y: { ...Y, field: 'value' } },
      },
      ...lines.map((line, i) => ({
        data: { values: [{}] },
        mark: {
          type: 'text' as const,
          align: 'left' as const,
          baseline: 'middle' as const,
          fontSize: 11,
          fontWeight: line.isChosen ? (700 as const) : (400 as const),
          color: line.isChosen ? MARK : SOFT,
          text: isBeyond(line) ? `↑ ${line.words}: ${Number(line.value.toPrecision(3))}` : line.words,
          x: PANEL + 6,
          y: heights[i] as number,
        },
      })),
      ...marks.map((mark) => {
        const up = field === 'criterion' ? ROW * mark.row + ROW : 0;
        return {
          data: { values: [{ precision: mark.precision }] },
          mark: { type: 'rule' as const, color: MARK, strokeWidth: 1, opacity: mark.isChosen ? 0.9 : 0.5, y: -up, y2: height },
          encoding: { x: X },
        };
      }),
      {
        data: { values: rows },
        mark: { type: 'line' as const, color: CURVE, strokeWidth: 2, clip: true, strokeJoin: 'round' as const },
        encoding: points,
      },
      {
        data: { values: rows },
        mark: { type: 'point' as const, color: CURVE, filled: true, opacity: 1, size: 26, clip: true },
        encoding: points,
      },
      ...marks.map((mark) => ({
        data: { values: [{ ...mark }] },
        mark: {
          type: 'point' as const,
          filled: true,
          opacity: 1,
          size: 90,
          color: mark.isChosen ? MARK : 'white',
          stroke: MARK,
          strokeWidth: 2,
          clip: true,
        },
        encoding: points,
      })),
      ...(field === 'criterion' ? marks : []).map((mark) => ({
        data: { values: [{ precision: mark.precision }] },
        mark: {
          type: 'text' as const,
          align: 'left' as const,
          baseline: 'middle' as const,
          dx: 5,
          y: -ROW * mark.row - ROW / 2,
          fontSize: 11,
          fontWeight: mark.isChosen ? (700 as const) : (400 as const),
          color: mark.isChosen ? MARK : INK,
          text: mark.words,
        },
        encoding: { x: X },
      })),
    ],
  };
}

/** The place of a value in a panel, in SVG units from its top. */
function heightOf({ type, domain }: Scale, height: number, value: number): number {
  const of = type === 'log' ? Math.log : (v: number) => v;
  const [low, high] = domain as [number, number];
  return (height * (of(high) - of(value))) / (of(high) - of(low));
}
