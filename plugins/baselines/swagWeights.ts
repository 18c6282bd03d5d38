/**
 * SWA-Gaussian (Maddox, Garipov, Izmailov, Vetrov & Wilson 2019, Algorithm 1 and equation 1): a normal distribution of all weights θ that is
 * fitted to K snapshots of training,
 *
 *   θ ~ N(θ̄, ½ (diag(σ²) + D Dᵀ / (K − 1))),   σ² = mean(θ_k²) − θ̄²,   D's columns θ_k − θ̄_k with the mean θ̄_k of the first k snapshots,
 *
 * drawn as θ̄ + (σ ⊙ z₁ + D z₂ / √(K − 1)) / √2 with standard normals z₁ and z₂ [K]. Everything is on the host, in float64.
 */
import { foldIn, type Key, normals } from 'tfjs-laplace/extend';

/** The weights of a model at one moment: one flat array for each weight, in the order of `model.weights`. */
export type Snapshot = ReadonlyArray<Float32Array>;

/** A normal distribution of weights, for each weight of the model. */
export interface SwagWeights {
  readonly mean: ReadonlyArray<Float64Array>;
  readonly deviation: ReadonlyArray<Float64Array>;
  /** D's columns, one for each snapshot. */
  readonly columns: ReadonlyArray<ReadonlyArray<Float64Array>>;
}

/** Fits the distribution to at least two snapshots. */
export function swagWeights(snapshots: ReadonlyArray<Snapshot>): SwagWeights {
  const zeros = (): Float64Array[] => (snapshots[0] as Snapshot).map((w) => new Float64Array(w.length));
  const [mean, squares, columns] = [zeros(), zeros(), [] as Float64Array[][]];
  snapshots.forEach((snapshot, k) => {
    const column = zeros();
    snapshot.forEach((w, i) => {
      const [own, sum, left] = [mean[i], squares[i], column[i]] as [Float64Array, Float64Array, Float64Array];
      for (let j = 0; j < w.length; j++) {
        const before = (w[j] as number) - (own[j] as number);
        own[j] = (own[j] as number) + before / (k + 1);
        left[j] = (w[j] as number) - (own[j] as number);
        sum[j] = (sum[j] as number) + before * (left[j] as number);
      }
    });
    columns.push(column);
  });
  const deviation = squares.map((sum) => sum.map((s) => Math.sqrt(s / snapshots.length)));
  return { mean, deviation, columns };
}

/** One draw of all weights. */
export function drawSwag({ mean, deviation, columns }: SwagWeights, drawn: Key): Snapshot {
  const K = columns.length;
  const low = normals(foldIn(drawn, 0), K);
  return mean.map((own, i) => {
    const z = normals(foldIn(drawn, i + 1), own.length);
    return Float32Array.from(own, (m, j) => {
      const wide = columns.reduce((sum, column, k) => sum + (column[i]?.[j] as number) * (low[k] as number), 0);
      return m + ((deviation[i]?.[j] as number) * (z[j] as number) + wide / Math.sqrt(K - 1)) / Math.SQRT2;
    });
  });
}
