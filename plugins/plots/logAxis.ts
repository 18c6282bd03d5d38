/** Log axes of numbers over many decades, such as prior precisions: round ticks with labels that stay short. */

const SUPERSCRIPTS = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
const raised = (k: number): string =>
  `10${k < 0 ? '⁻' : ''}${Array.from(String(Math.abs(k)), (digit) => SUPERSCRIPTS[Number(digit)]).join('')}`;

/** Powers of ten up to these stand as numbers, without exponents. */
const [LEAST_PLAIN, MOST_PLAIN] = [-2, 4];
/** An axis has room for this many labels. */
const MOST_TICKS = 10;

/** A tick of a log axis. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/**
 * The ticks of a log axis from `low` to `high`: powers of ten, every second or third of them over many decades, and 1, 2, 5, 10, …
 * over few.
 */
export function logTicks(low: number, high: number): ReadonlyArray<Tick> {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first + 1) / MOST_TICKS));
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter((k) => k % step === 0);
  if (powers.length > 2) {
    const isPlain = first >= LEAST_PLAIN && last <= MOST_PLAIN;
    return powers.map((k) => ({ value: Number(`1e${k}`), label: isPlain ? plain(10 ** k) : raised(k) }));
  }
  const decades = Array.from({ length: last - first + 3 }, (_, i) => first - 1 + i);
  const round = decades
    .flatMap((k) => [1, 2, 5].map((m) => Number(`${m}e${k}`)))
    .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  return (round.length > 1 ? round : [low, high]).map((value) => ({ value, label: plain(value) }));
}

/** A positive number in at most three significant digits: 0.0123, 4.5, 30000, 1.2·10⁷. */
export function plain(value: number): string {
  const [digits, exponent] = value.toExponential(2).split('e').map(Number) as [number, number];
  if (exponent >= LEAST_PLAIN && exponent <= MOST_PLAIN) return String(Number(value.toPrecision(3)));
  return digits === 1 ? raised(exponent) : `${digits}·${raised(exponent)}`;
}

/** Scale and axis of Vega-Lite for a log axis from `low` to `high`. */
export function logAxis(low: number, high: number) {
  const ticks = logTicks(low, high);
  const labels = Object.fromEntries(ticks.map(({ value, label }) => [value, label]));
  return {
    scale: { type: 'log' as const, domain: [low, high], nice: false },
    axis: { values: ticks.map(({ value }) => value), labelExpr: `(${JSON.stringify(labels)})[datum.value]` },
  };
}
