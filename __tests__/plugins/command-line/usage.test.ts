import { writeFileSync } from 'node:fs';
import { RECIPE, type Said, said, workFolder } from './folder.js';

let work: Awaited<ReturnType<typeof workFolder>>;
const at = (name: string): string => work.at(name);
beforeAll(async () => {
  work = await workFolder();
});
afterAll(() => work.remove());

const COMMANDS = ['run', 'tune', 'predict', 'sample', 'inspect', 'merge', 'convert', 'coverage'];

describe('help', () => {
  it('lists the commands and the exit codes', async () => {
    const { code, out, err } = await said('--help');
    expect([code, err]).toEqual([0, '']);
    for (const word of [...COMMANDS, 'Exit codes', '130']) expect(out).toContain(word);
    expect(await said('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
  });

  it.each(COMMANDS)('%s has examples, whose options it has', async (name) => {
    const { code, out } = await said(name, '--help');
    expect(code).toBe(0);
    const [usage = '', examples = ''] = out.split('Examples:');
    expect(examples).toContain(`npx tfjs-laplace ${name}`);
    for (const option of examples.match(/--[a-z-]+/g) ?? []) expect(usage).toContain(option);
    for (const option of ['--json', '--quiet', '--verbose', '--backend']) expect(usage).toContain(option);
  });
});

const RUN = () => ['run', at('recipe.json'), '--model', at('model'), '--data', at('train.csv'), '--target', 'kind'];

describe.each<[string, number, RegExp, () => Promise<Said>]>([
  ['no such command', 2, /unknown command 'rum'/, () => said('rum')],
  ['no such option', 2, /unknown option '--modle'.*\n.*Did you mean --model/, () => said(...RUN(), '--modle', 'b')],
  ['a missing option', 2, /--model <place>/, () => said('run', at('recipe.json'))],
  [
    'a value out of range',
    2,
    /--samples.*integer >= 1/,
    () => said('sample', 'a', '--model', 'b', '--out', 'c', '--samples', '0'),
  ],
  ['a word that is none', 2, /--dtype.*F64, F32/, () => said('convert', 'a', 'b', '--dtype', 'F8')],
  [
    'a predictive that is none',
    2,
    /did you mean 'linearised'/,
    () => said('predict', at('none'), '--model', 'b', '--data', 'c', '--predictive', 'linearized'),
  ],
  ['JSON that is none', 2, /no JSON/, () => said('coverage', '--model', at('model'), '--likelihood', '{')],
  ['no likelihood', 2, /--likelihood categorical/, () => said('coverage', '--model', at('model'))],
  [
    'labels that nothing names',
    2,
    /--target COLUMN/,
    () => said('run', at('recipe.json'), '--model', at('model'), '--data', at('train.csv'), '--inputs', 'a', 'b', 'c'),
  ],
  ['a recipe that is none', 2, /likelihood: found "soft"/, () => said('run', at('wrong.json'), ...RUN().slice(2))],
  ['data that the recipe needs', 1, /heldOut/, () => said(...RUN())],
  ['no model', 3, /nowhere.model.json/, () => said(...RUN().map((word) => (word === at('model') ? at('nowhere') : word)))],
  [
    'another file as the model',
    3,
    /no layers model/,
    () => said(...RUN().map((word) => (word === at('model') ? at('recipe.json') : word))),
  ],
  ['no recipe', 3, /gone\.json/, () => said('run', at('gone.json'), ...RUN().slice(2))],
  ['a recipe that is no JSON', 3, /no JSON/, () => said('run', at('train.csv'), ...RUN().slice(2))],
  ['no data', 3, /gone\.csv/, () => said(...RUN().map((word) => (word === at('train.csv') ? at('gone.csv') : word)))],
  ['a file of something else', 3, /no file of posterior/, () => said('inspect', at('train.csv'))],
  ['no such column', 1, /species/, () => said(...RUN().map((word) => (word === 'kind' ? 'species' : word)))],
])('%s', (_name, code, words, run) => {
  beforeAll(() => writeFileSync(at('wrong.json'), JSON.stringify({ ...RECIPE, likelihood: 'soft' })));

  it(`ends with ${code}, and says what is wrong on stderr alone`, async () => {
    const found = await run();
    expect(found).toMatchObject({ code, out: '', err: expect.stringMatching(words) });
    // No stack traces.
    expect(found.err).not.toMatch(/\n\s+at /);
  });
});

it('writes neither colours nor carriage returns where there is no terminal', async () => {
  const own = ['--held-out', at('val.csv'), '--thresholds', at('cal.csv'), '--verbose'];
  const { code, out, err } = await said(...RUN(), ...own);
  expect(code).toBe(0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what should not be there.
  expect(out + err).not.toMatch(/[\u001b\r]/);
});

it('says nothing on stderr when it is told to be quiet and all is well', async () => {
  const { code, out, err } = await said('coverage', '--model', at('model'), '--likelihood', 'categorical', '--quiet');
  expect([code, err]).toEqual([0, '']);
  expect(out).not.toBe('');
});
