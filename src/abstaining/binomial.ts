/**
 * An upper bound on a probability by inversion of the binomial tail: for e errors among m examples the b with
 *
 *   P(Bin(m, b) <= e) = Σ_{j <= e} C(m, j) b^j (1 − b)^{m − j} = δ.
 *
 * The probability behind the errors is above b with a probability of at most δ (Clopper & Pearson 1934; Geifman & El-Yaniv 2017, lemma
 * 3.1). b is found by bisection, because the tail falls with b. O(e) for each of at most 60 halvings.
 */

/** Below this share of the sum a term no longer counts; the terms fall on from there. */
const NEGLIGIBLE = 1e-18;
const HALVINGS = 60;

/** log C(m, e), as a sum of logarithms. */
function logChoose(m: number, e: number): number {
  let sum = 0;
  for (let j = 1; j <= e; j++) sum += Math.log((m - e + j) / j);
  return sum;
}

/** P(Bin(m, b) <= e) for b in (0, 1), from C(m, e), whose logarithm is given. Meant for e below the mean m b, where terms fall with j. */
function tail(e: number, m: number, b: number, choose: number): number {
  const odds = (1 - b) / b;
  let [sum, term] = [1, 1];
  for (let j = e; j > 0; j--) {
    term *= (j / (m - j + 1)) * odds;
    sum += term;
    if (term < NEGLIGIBLE * sum) break;
  }
  return Math.exp(choose + e * Math.log(b) + (m - e) * Math.log1p(-b) + Math.log(sum));
}

/** b for e errors among m examples, and a probability δ in (0, 1) that it does not hold. It is 1 if all are errors. */
export function upperBound(e: number, m: number, delta: number): number {
  if (e >= m) return 1;
  const choose = logChoose(m, e);
  // At b = 0 the tail is 1, and at b = 1 it is 0.
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const b = (low + high) / 2;
    if (b === low || b === high) break;
    if (tail(e, m, b, choose) > delta) low = b;
    else high = b;
  }
  return high;
}
