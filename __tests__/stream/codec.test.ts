import { either as E } from 'fp-ts';
import { decode } from '../../src/codec/index.js';
import { type EpochSelection, EpochSelectionCodec, epochsWhere, everyEpoch, finalEpochs } from '../../src/stream/codec.js';
import { holds, type Same } from '../support/types.js';

const late = (epoch: number) => epoch > 3;

it('makes values', () => {
  expect(finalEpochs()).toStrictEqual({ _tag: 'finalEpochs', count: 1 });
  expect(finalEpochs(2, { stopsEarly: true })).toStrictEqual({ _tag: 'finalEpochs', count: 2, stopsEarly: true });
  expect(finalEpochs(3, { stopsEarly: false })).toStrictEqual({ _tag: 'finalEpochs', count: 3, stopsEarly: false });
  expect(everyEpoch()).toStrictEqual({ _tag: 'everyEpoch' });
  expect(epochsWhere(late)).toStrictEqual({ _tag: 'epochsWhere', predicate: late });
});

it.each([finalEpochs(2), finalEpochs(2, { stopsEarly: true }), everyEpoch(), epochsWhere(late)])(
  'makes frozen values that decode to themselves: %j',
  (value) => {
    expect(Object.isFrozen(value)).toBe(true);
    expect(decode(EpochSelectionCodec, value)).toEqual(E.right(value));
  },
);

it.each<[string, () => unknown, string]>([
  ['finalEpochs(0)', () => finalEpochs(0), 'finalEpochs: count: found 0, expected an integer >= 1.'],
  ['finalEpochs(1.5)', () => finalEpochs(1.5), 'finalEpochs: count: found 1.5, expected an integer >= 1.'],
  [
    'finalEpochs(1, { stopsEarly: 1 })',
    () => finalEpochs(1, { stopsEarly: 1 as unknown as boolean }),
    'finalEpochs: stopsEarly: found 1, expected true or false.',
  ],
  [
    'epochsWhere(3)',
    () => epochsWhere(3 as unknown as typeof late),
    'epochsWhere: predicate: found 3, expected a function (epoch) => boolean.',
  ],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(expect.objectContaining({ kind: 'InvalidOption', message }));
});

it('needs a predicate for chosen epochs', () => {
  const result = decode(EpochSelectionCodec, 'epochsWhere');
  expect(E.isLeft(result) && result.left.issues).toEqual([
    { path: 'predicate', found: 'nothing', expected: 'a function (epoch) => boolean' },
  ]);
});

holds<
  Same<
    EpochSelection,
    | { readonly _tag: 'finalEpochs'; readonly count: number; readonly stopsEarly?: boolean }
    | { readonly _tag: 'everyEpoch' }
    | { readonly _tag: 'epochsWhere'; readonly predicate: (epoch: number) => boolean }
  >
>();
