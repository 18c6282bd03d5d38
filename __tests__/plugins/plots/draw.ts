/** Draws one of each twice and writes the pictures into a folder: run by `drawing.test.ts`, since Vega comes as ES modules only. */
import {
  canDrawText,
  curves,
  gallery,
  histograms,
  powerLaws,
  reliabilityDiagram,
  writePicture,
} from 'tfjs-laplace/plugins/plots';

const folder = process.argv[2] as string;
const bins = [{ lower: 0.5, upper: 1, count: 40, confidence: 0.8, accuracy: 0.75 }];
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
  gallery: gallery({
    title: 'Gallery title',
    side: 2,
    items: [{ image: [0, 1, 1, 0], probabilities: [0.5, 0.5], label: 0, captions: [] }],
  }),
});

const [once, again] = [await draw(), await draw()];
for (const [name, svg] of Object.entries(once)) await writePicture(folder, name, svg);
process.stdout.write(JSON.stringify({ same: JSON.stringify(once) === JSON.stringify(again), text: await canDrawText() }));
