import { examplesIn } from './extract.js';

const SOURCE = `/** One line. */
const text = \`
\\\`\\\`\\\`ts
no example
\\\`\\\`\\\`
\`;
/**
 * Adds.
 *
 * \`\`\`ts
 * not(an, example);
 * \`\`\`
 *
 * @example
 * In words first.
 * \`\`\`ts
 * add(1, 2); // => 3
 *
 *   indented();
 * \`\`\`
 * @returns a sum
 * \`\`\`ts
 * nor(is, this);
 * \`\`\`
 * @example
 * \`\`\`ts no-run
 * later();
 * \`\`\`
 * \`\`\`sh
 * npm test
 * \`\`\`
 */
export const add = 1;
`;

it('finds the examples of docstrings', () => {
  expect(examplesIn('add.ts', SOURCE)).toEqual([
    { file: 'add.ts', line: 16, code: 'add(1, 2); // => 3\n\n  indented();', run: true },
    { file: 'add.ts', line: 26, code: 'later();', run: false },
  ]);
});

it('finds the blocks of Markdown', () => {
  const text = '# Title\n\n```ts\none();\n```\n\n```sh\nnpm i\n```\n```ts no-run\ntwo();\n```\n```tsx\nno\n```\n';
  expect(examplesIn('README.md', text)).toEqual([
    { file: 'README.md', line: 3, code: 'one();', run: true },
    { file: 'README.md', line: 10, code: 'two();', run: false },
  ]);
});

it('finds none where there are none', () => {
  expect(examplesIn('a.ts', 'export const a = 1;\n')).toEqual([]);
});

it.each([
  ['a.ts', '/**\n * @example\n * ```ts\n * open();\n */\nexport const a = 1;\n'],
  ['a.md', '```ts\nopen();\n'],
])('complains about an open block of %s', (file, text) => {
  expect(() => examplesIn(file, text)).toThrow('the example is not closed');
});
