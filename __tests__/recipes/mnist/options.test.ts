import { either as E } from 'fp-ts';
import { HELP, readOptions } from '../../../recipes/mnist/options.js';

const read = (...args: string[]) => E.toUnion(readOptions(args));

it('has a default for everything', () => {
  expect(read()).toEqual({ quick: false, out: 'out/mnist', loudness: 'normal', help: false });
});

it('reads every option', () => {
  expect(read('--quick', '--pretrained', 'a', '--out=b', '--backend', 'wasm', '--verbose')).toEqual({
    quick: true,
    pretrained: 'a',
    out: 'b',
    backend: 'wasm',
    loudness: 'verbose',
    help: false,
  });
  expect(read('--save', 'c', '--quiet')).toMatchObject({ save: 'c', loudness: 'quiet' });
});

it.each([
  [['--fast'], "Unknown option '--fast'"],
  [['fast'], "Unexpected argument 'fast'"],
  [['--pretrained'], "'--pretrained <value>' argument missing"],
  [['--quick=yes'], "'--quick' does not take an argument"],
  [['--backend', 'webgl'], "--backend is 'webgl'; it can be node, wasm or cpu"],
  [['--quiet', '--verbose'], '--quiet and --verbose cannot be combined'],
  [['--save', 'a', '--pretrained', 'b'], '--save cannot be combined with --pretrained'],
])('refuses %j', (args, message) => {
  const options = readOptions(args);
  expect(E.isLeft(options) && options.left).toContain(message);
});

it('explains every option in its help', () => {
  for (const name of ['quick', 'pretrained', 'save', 'out', 'backend', 'quiet', 'verbose', 'help'])
    expect(HELP).toContain(`--${name}`);
});
