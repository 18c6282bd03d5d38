/** Leaves out points of a line that nobody could see, so that the curve of a large test set is a small file. */

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Two points that are nearer than this, in SVG units, look like one. */
const NEAR = 0.5;

/**
 * The points of a line without those that lie nearer than half an SVG unit to the last one that is kept. The first and the last stay.
 *
 * @param points the line, in order
 * @param unit SVG units for 1 on each axis
 */
export function thinned<P extends Point>(points: ReadonlyArray<P>, unit: Point): ReadonlyArray<P> {
  const kept: P[] = [];
  points.forEach((point, i) => {
    const last = kept.at(-1);
    const isNear = last !== undefined && Math.hypot((point.x - last.x) * unit.x, (point.y - last.y) * unit.y) < NEAR;
    if (!isNear || i === points.length - 1) kept.push(point);
  });
  return kept;
}
