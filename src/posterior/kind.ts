/** Posteriors and their layers, told apart from what is given in their place by mistake. */
import { hasFields, type Kind, tagged } from '../codec/index.js';
import type { Posterior, PosteriorLayer } from './posterior.js';

/** Posteriors. */
export const POSTERIOR: Kind<Posterior> = {
  name: 'a posterior',
  is: tagged<Posterior>('Posterior', 'layers'),
  remedies: [
    { is: hasFields('posterior', 'evidence'), remedy: 'maximiseEvidence gives the posterior in its field posterior.' },
    { is: tagged('Factors'), remedy: 'toPosterior(…) or posteriorOf(…) makes a posterior of factors.' },
    { is: tagged('OpenedPosterior'), remedy: 'It is still in its file: await its whole().' },
  ],
};

/** Layers of a posterior. */
export const POSTERIOR_LAYER: Kind<PosteriorLayer> = {
  name: 'a layer of a posterior',
  is: (value): value is PosteriorLayer => hasFields('structure', 'parts', 'mean')(value),
  remedies: [
    {
      is: (value) => typeof value === 'string',
      remedy: 'posterior.layers.find(({ name }) => name === …) finds a layer by its name.',
    },
    { is: (value) => typeof value === 'number', remedy: 'posterior.layers[i] is layer number i.' },
    { is: tagged('Posterior'), remedy: 'Its field layers lists them.' },
  ],
};
