/**
 * Minus the highest logit, −max_c f_c. Unlike a probability it also falls where all logits fall together. One logit f of two classes counts
 * as ½f and −½f, so the score is −½|f|. Reference: Hendrycks, Basart, Mazeika et al. 2022.
 */
import { variant } from '../../codec/index.js';
import { checkRows, sound } from '../../metrics/rows.js';
import { LOGITS, rule } from '../rule.js';
import { highest, logitsOf } from './highest.js';

export const MaximumLogit = variant('maximumLogit', {});

export const maximumLogitRule = rule(LOGITS, (rows) =>
  sound(checkRows(rows, 'outputs.mean'), () => Float64Array.from(rows, (row) => -highest(logitsOf(row)))),
);
