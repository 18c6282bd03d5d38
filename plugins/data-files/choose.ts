/** Which columns of a table hold inputs, and which labels. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { quoted } from './failure.js';
import type { Choose } from './types.js';

/** What was asked for, by name. */
export interface Asked {
  readonly inputs?: ReadonlyArray<string>;
  readonly target?: ReadonlyArray<string>;
}

/** The columns that are asked for: inputs are those that are named, or all that are no labels. */
export const chooser =
  (name: string, { inputs, target = [] }: Asked): Choose =>
  (names) => {
    const find = (field: string) => (column: string) => {
      const i = names.indexOf(column);
      if (i < 0) throw lacks(name, field, column, names);
      return i;
    };
    const targets = target.map(find('target'));
    const others = [...names.keys()].filter((i) => !targets.includes(i));
    return { targets, inputs: inputs?.map(find('inputs')) ?? others };
  };

/** All columns are labels: the second of two files. */
export const allTargets: Choose = (names) => ({ inputs: [], targets: [...names.keys()] });

const lacks = (name: string, field: string, column: string, names: ReadonlyArray<string>): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `${name} has no column ${quoted(column)}`,
    field,
    found: `${names.slice(0, SHOWN).map(quoted).join(', ')}${names.length > SHOWN ? `, … (${names.length} columns)` : ''}`,
    expected: 'the name of a column',
  });

const SHOWN = 20;
