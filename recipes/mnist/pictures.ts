/** Draws the pictures: the choice of the prior, the reliability diagram, the histograms of uncertainty, and the most uncertain digits. */
import { calibration, orThrow, predictedClasses } from 'tfjs-laplace';
import { gallery, histograms, reliabilityDiagram, tuningCurve, writePicture } from 'tfjs-laplace/plugins/plots';
import { count } from '../support/table.js';
import type { Groups } from './detection.js';
import { CLASSES, type Digits, image, SIDE } from './digits.js';
import type { Predictions } from './predictions.js';
import type { Desk, Results } from './run.js';
import { testDigits } from './scores.js';

/**
 * Draws and writes all pictures.
 *
 * @param parts predictions of the sampled networks, entropies by group, numbers of the most uncertain digits, and the held-out digits
 * @returns paths of the files
 */
export async function pictures(
  { out, report }: Desk,
  results: Results,
  parts: {
    readonly sampled: Predictions;
    readonly groups: Groups;
    readonly most: ReadonlyArray<number>;
    readonly heldOut: Digits;
  },
): Promise<ReadonlyArray<string>> {
  const drawn = {
    tuning: await tuning(results, parts.heldOut),
    reliability: await reliability(results, parts.sampled),
    uncertainty: await uncertainty(parts.groups),
    digits: digits(results, parts.most),
  };
  const paths: string[] = [];
  const warnings = new Set<string>();
  for (const [name, svg] of Object.entries(drawn)) {
    const written = await writePicture(out, name, svg);
    paths.push(written.png, written.svg);
    if (written.warning !== undefined) warnings.add(written.warning);
  }
  for (const warning of warnings) report.result(warning);
  return paths;
}

function tuning({ choice }: Results, heldOut: Digits): Promise<string> {
  return tuningCurve({
    title: 'Choice of the prior',
    subtitle: `${choice.tuning.candidates.length} prior precisions on ${count(heldOut.count)} held-out training digits`,
    criterion: 'NLL (nats)',
    tuning: choice.tuning,
  });
}

function reliability({ test, map, mapAtBest, linearised }: Results, sampled: Predictions): Promise<string> {
  const bins = (predictions: Predictions) => orThrow(calibration(predictions.probabilities, test.labels)).bins;
  return reliabilityDiagram({
    title: 'Confidence and accuracy on MNIST',
    subtitle: `${testDigits(test)}, 15 bins; vertical lines are 68 % intervals`,
    series: [
      { name: 'MAP', bins: bins(map) },
      { name: 'MAP, temperature', bins: bins(mapAtBest) },
      { name: 'linearised Laplace', bins: bins(linearised) },
      { name: 'sampled Laplace', bins: bins(sampled) },
    ],
  });
}

function uncertainty({ correct, incorrect, upright, rotated, angle }: Groups): Promise<string> {
  return histograms({
    title: 'Uncertainty of the linearised predictive',
    subtitle: 'MNIST test digits; shares of each group, on a log scale',
    axis: 'predictive entropy (nats)',
    of: 'group',
    range: [0, Math.log(CLASSES)],
    panels: [
      {
        title: 'Predictions that are correct and incorrect',
        groups: [
          { name: 'correct', values: correct },
          { name: 'incorrect', values: incorrect },
        ],
      },
      {
        title: `Digits that are upright and rotated by ${angle}°`,
        groups: [
          { name: 'upright', values: upright },
          { name: 'rotated', values: rotated },
        ],
      },
    ],
  });
}

function digits({ test, linearised }: Results, most: ReadonlyArray<number>): string {
  const predicted = predictedClasses(linearised.probabilities);
  return gallery({
    title: `The ${most.length} most uncertain of ${testDigits(test)}`,
    subtitle: 'Predictive distributions of the linearised Laplace approximation; entropy and its epistemic part in nats',
    side: SIDE,
    items: most.map((b) => ({
      image: image(test, b),
      probabilities: linearised.probabilities[b] as Float32Array,
      label: test.labels[b] as number,
      captions: [
        `#${b} is a ${test.labels[b]}, predicted ${predicted[b]}`,
        `entropy ${(linearised.entropy[b] as number).toFixed(2)}, epistemic ${(linearised.mutualInformation[b] as number).toFixed(2)}`,
      ],
    })),
  });
}
