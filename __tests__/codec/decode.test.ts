import { either as E } from 'fp-ts';
import { decode, defaulted, make, positive, positiveInteger, struct, taggedUnion, variant } from '../../src/codec/index.js';
import type { LaplaceError } from '../../src/errors.js';

const Plan = struct('a plan', { draws: positiveInteger, rate: positive });

const failure = (run: () => unknown): LaplaceError => {
  try {
    run();
  } catch (error) {
    return error as LaplaceError;
  }
  throw new Error('nothing was thrown');
};

describe('decode', () => {
  const left = (input: unknown, what?: string) => {
    const result = decode(Plan, input, what);
    if (E.isRight(result)) throw new Error('it decoded');
    return result.left;
  };

  it('makes one problem one sentence', () => {
    const error = left({ draws: -1, rate: 2 }, 'plan');
    expect(error).toMatchObject({
      _tag: 'LaplaceError',
      kind: 'InvalidRecipe',
      field: 'draws',
      found: '-1',
      expected: 'an integer >= 1',
    });
    expect(error.message).toBe('plan: draws: found -1, expected an integer >= 1.');
  });

  it('lists several, a line each', () => {
    const error = left({ draws: -1, rat: 2 }, 'plan');
    expect(error.issues).toHaveLength(3);
    expect(error.message).toBe(
      [
        'plan has 3 problems:',
        '  draws: found -1, expected an integer >= 1;',
        '  rate: found nothing, expected a finite number > 0;',
        "  rat: found 2, expected no such key (did you mean 'rate'?); allowed: draws, rate.",
      ].join('\n'),
    );
  });

  it('speaks of the whole by its name', () => {
    expect(left(null).field).toBeUndefined();
    expect(left(null).message).toBe('a plan: found null, expected a plan.');
    expect(left(null, 'plan').issues).toEqual([{ path: '', found: 'null', expected: 'a plan' }]);
  });
});

describe('make', () => {
  const Circle = variant('circle', { radius: defaulted(positive, 1) });
  const Point = variant('point', {});
  const Shape = taggedUnion('a shape', Circle, Point);

  it('adds the tag, which is the maker unless another is given', () => {
    expect(make('circle', Circle, {})).toEqual({ _tag: 'circle', radius: 1 });
    expect(make('shape', Shape, {}, 'point')).toEqual({ _tag: 'point' });
    expect(make('shape', Shape, { radius: 3 }, 'circle')).toEqual({ _tag: 'circle', radius: 3 });
  });

  it('throws, naming maker, field, found and expected', () => {
    const error = failure(() => make('circle', Circle, { radius: Number.NaN }));
    expect(error).toMatchObject({ kind: 'InvalidOption', field: 'radius', found: 'NaN', expected: 'a finite number > 0' });
    expect(error.message).toBe('circle: radius: found NaN, expected a finite number > 0.');
  });

  it('takes a value that it made', () => {
    expect(make('circle', Circle, make('circle', Circle, { radius: 3 }))).toEqual({ _tag: 'circle', radius: 3 });
  });

  it.each([[null], [3], ['circle'], [[]]])('takes no options like %p', (options) => {
    const error = failure(() => make('circle', Circle, options));
    expect(error).toMatchObject({ kind: 'InvalidOption', field: 'options', expected: 'an object' });
  });

  it('does not take the options of another', () => {
    expect(failure(() => make('circle', Circle, { _tag: 'point' }))).toMatchObject({
      field: '_tag',
      found: '"point"',
      expected: "'circle'",
    });
  });
});
