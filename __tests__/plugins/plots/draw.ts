/** Draws one of each twice and writes the pictures into a folder: run by `drawing.test.ts`, since Vega comes as ES modules only. */
import {
  canDrawText,
  curves,
  evidenceCurves,
  gallery,
  histograms,
  pitHistograms,
  powerLaws,
  precisionRecallCurves,
  predictionBands,
  reliabilityDiagram,
  riskCoverageCurves,
  rocCurves,
  setSizes,
  tuningCurve,
  writePicture,
} from 'tfjs-laplace/plugins/plots';

const folder = process.argv[2] as string;
const bins = [{ lower: 0.5, upper: 1, count: 40, confidence: 0.8, accuracy: 0.75 }];
const tried = (precision: number, scale: number, criterion: number) =>
  Object.freeze({ precision, scale, criterion, difference: { value: criterion - 0.3, standardError: 0.01 } });
const [wide, middle, narrow] = [tried(0.1, 3, 0.29), tried(10, 2, 0.28), tried(1000, 1.5, 0.29)];
const rows = (...values: number[]) => values.map((v) => Float32Array.of(v));
const draw = async () => ({
  reliability: await reliabilityDiagram({
    title: 'Reliability title',
    subtitle: 'below it',
    series: [{ name: 'MAP series', bins }],
  }),
  histograms: await histograms({
    title: 'Histogram title',
    axis: 'entropy (nats)',
    of: 'digits',
    range: [0, 1],
    panels: [{ title: 'Panel title', groups: [{ name: 'correct', values: [0.1, 0.2, 0.9] }] }],
  }),
  curves: await curves({
    title: 'Curve title',
    xAxis: 'time (s)',
    yAxis: 'height (m)',
    curves: [
      {
        name: 'fall',
        points: [
          { x: 0, y: 1 },
          { x: 1, y: 0 },
        ],
      },
    ],
  }),
  powerLaws: await powerLaws({
    title: 'Scaling title',
    rows: [
      [
        {
          size: 'examples',
          cost: 'time (ms)',
          points: [
            { x: 1, y: 2 },
            { x: 2, y: 4 },
          ],
          fitted: { exponent: 1, factor: 2, from: 1 },
          stated: '1',
        },
      ],
    ],
  }),
  tuning: await tuningCurve({
    title: 'Tuning title',
    criterion: 'NLL (nats)',
    tuning: Object.freeze({
      candidates: Object.freeze([wide, middle, narrow]),
      network: { plain: tried(Number.POSITIVE_INFINITY, 1, 0.35), fitted: tried(Number.POSITIVE_INFINITY, 1.2, 0.3) },
      choices: { best: middle, widest: wide, evidence: middle },
      chosen: wide,
    }),
  }),
  evidence: await evidenceCurves({
    title: 'Evidence title',
    parts: true,
    series: [
      {
        name: 'hidden',
        points: [
          { precision: 0.1, logMarginalLikelihood: -30, logLikelihood: -9 },
          { precision: 10, logMarginalLikelihood: -20, logLikelihood: -9 },
        ],
      },
    ],
  }),
  risk: await riskCoverageCurves({
    title: 'Risk title',
    series: [
      {
        name: 'entropy',
        curve: { coverage: [0.5, 1], risk: [0.5, 0.5] },
        oracle: { coverage: [0.5, 1], risk: [0, 0.5] },
      },
    ],
  }),
  roc: await rocCurves({
    title: 'ROC title',
    series: [{ name: 'entropy', curve: { falsePositiveRate: [0, 0, 1], truePositiveRate: [0, 0.5, 1] } }],
  }),
  precisionRecall: await precisionRecallCurves({
    title: 'Recall title',
    series: [{ name: 'entropy', curve: { precision: [1, 0.5], recall: [0.5, 1] } }],
  }),
  pit: await pitHistograms({ title: 'PIT title', bins: 2, series: [{ name: 'MAP', values: rows(0.1, 0.2, 0.3, 1) }] }),
  sets: await setSizes({ title: 'Set title', series: [{ name: 'LAC', sets: [[0], [0, 1]], coverage: 0.5 }] }),
  bands: await predictionBands({
    title: 'Band title',
    xAxis: 'time (s)',
    yAxis: 'way (m)',
    x: [0, 1],
    prediction: {
      _tag: 'regression',
      support: 'real',
      mean: rows(0, 1),
      epistemicVariance: rows(1, 3),
      noiseVariance: rows(1, 1),
      totalVariance: rows(2, 4),
    },
    intervals: [{ name: 'conformal', lower: [[-1], [0]], upper: [[1], [2]] }],
  }),
  gallery: gallery({
    title: 'Gallery title',
    side: 2,
    items: [{ image: [0, 1, 1, 0], probabilities: [0.5, 0.5], label: 0, captions: [] }],
  }),
});

const [once, again] = [await draw(), await draw()];
for (const [name, svg] of Object.entries(once)) await writePicture(folder, name, svg);
process.stdout.write(JSON.stringify({ same: JSON.stringify(once) === JSON.stringify(again), text: await canDrawText() }));
