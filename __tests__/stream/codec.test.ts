import { either as E } from 'fp-ts';
import { decode } from '../../src/codec/index.js';
import { epochs, everyEpoch, finalEpochs, type Observation, ObservationCodec } from '../../src/stream/codec.js';
import { holds, type Same } from '../support/types.js';

const late = (epoch: number) => epoch > 3;

it('makes values', () => {
  expect(finalEpochs()).toStrictEqual({ _tag: 'finalEpochs', count: 1, stopsEarly: true });
  expect(finalEpochs(3, { stopsEarly: false })).toStrictEqual({ _tag: 'finalEpochs', count: 3, stopsEarly: false });
  expect(everyEpoch()).toStrictEqual({ _tag: 'everyEpoch' });
  expect(epochs(late)).toStrictEqual({ _tag: 'epochs', predicate: late });
});

it.each([finalEpochs(2), everyEpoch(), epochs(late)])('makes frozen values that decode to themselves: %j', (value) => {
  expect(Object.isFrozen(value)).toBe(true);
  expect(decode(ObservationCodec, value)).toEqual(E.right(value));
});

it.each<[string, () => unknown, string]>([
  ['finalEpochs(0)', () => finalEpochs(0), 'finalEpochs: count: found 0, expected an integer >= 1.'],
  ['finalEpochs(1.5)', () => finalEpochs(1.5), 'finalEpochs: count: found 1.5, expected an integer >= 1.'],
  [
    'finalEpochs(1, { stopsEarly: 1 })',
    () => finalEpochs(1, { stopsEarly: 1 as unknown as boolean }),
    'finalEpochs: stopsEarly: found 1, expected true or false.',
  ],
  ['epochs(3)', () => epochs(3 as unknown as typeof late), 'epochs: predicate: found 3, expected a function (epoch) => boolean.'],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(expect.objectContaining({ kind: 'InvalidOption', message }));
});

it('needs a predicate for chosen epochs', () => {
  const result = decode(ObservationCodec, 'epochs');
  expect(E.isLeft(result) && result.left.issues).toEqual([
    { path: 'predicate', found: 'nothing', expected: 'a function (epoch) => boolean' },
  ]);
});

holds<
  Same<
    Observation,
    | { readonly _tag: 'finalEpochs'; readonly count: number; readonly stopsEarly: boolean }
    | { readonly _tag: 'everyEpoch' }
    | { readonly _tag: 'epochs'; readonly predicate: (epoch: number) => boolean }
  >
>();
