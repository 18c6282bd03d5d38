import {
  anyOf,
  anything,
  array,
  defaulted,
  dictionary,
  func,
  literals,
  optional,
  positive,
  positiveInteger,
  refined,
  schemaDocument,
  struct,
  taggedUnion,
  text,
  variant,
} from '../../src/codec/index.js';

const code = func('a function');
const Own = variant('own', { name: text, run: code });

it('describes each value by the name of its codec', () => {
  expect(schemaDocument(positiveInteger)).toEqual({
    description: 'an integer >= 1',
    type: 'integer',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    $defs: {},
  });
});

it('says which fields may be missing, and their defaults', () => {
  expect(schemaDocument(struct('options', { rate: defaulted(positive, 2), label: optional(text), any: anything }))).toMatchObject(
    {
      properties: { rate: { default: 2 }, label: { minLength: 1 }, any: {} },
      required: [],
      additionalProperties: false,
    },
  );
});

it('takes the default that counts', () => {
  expect(schemaDocument(defaulted(defaulted(positive, 1), 2))).toMatchObject({ default: 2 });
});

it('allows bare tags of the variants that need nothing else', () => {
  const Union = taggedUnion('a choice', variant('plain', { rate: defaulted(positive, 1) }), variant('full', { rate: positive }));
  expect(schemaDocument(Union)).toMatchObject({ title: 'a choice', anyOf: [{ const: 'plain' }, {}, {}] });
});

describe('code', () => {
  it.each([
    ['a function', code],
    ['a field that is needed', Own],
    ['the items of a list', array('a list', code)],
    ['the values of an object', dictionary('an object', code)],
    ['every variant', taggedUnion('a choice', Own)],
    ['a default', defaulted(code, () => undefined)],
  ])('has no JSON: %s', (_, codec) => {
    expect(schemaDocument(codec)).toBe(false);
  });

  it('is left out where something else will do', () => {
    expect(schemaDocument(anyOf(literals('a', 'b'), code, () => false))).toMatchObject({ enum: ['a', 'b'] });
    expect(schemaDocument(struct('options', { rate: positive, run: optional(code) }))).toMatchObject({
      properties: { rate: {} },
      required: ['rate'],
    });
    expect(schemaDocument(taggedUnion('a choice', Own, variant('plain', {})))).toMatchObject({
      anyOf: [{ const: 'plain' }, { properties: { _tag: { const: 'plain' } } }],
    });
  });
});

it('writes a part that is used twice once, with the default of each use', () => {
  const Side = taggedUnion('a side', variant('left', {}), variant('right', {}));
  const Both = struct('both', { first: Side, second: defaulted(Side, 'left') });
  expect(schemaDocument(Both)).toMatchObject({
    properties: { first: { $ref: '#/$defs/side' }, second: { $ref: '#/$defs/side', default: 'left' } },
    $defs: { side: { anyOf: [{ enum: ['left', 'right'] }, {}, {}] } },
  });
});

it('names a codec that lacks a schema', () => {
  const Odd = refined('an odd number', (value): value is number => Number(value) % 2 === 1);
  expect(() => schemaDocument(struct('options', { list: array('a list', Odd) }))).toThrow(
    'The codec of an odd number has no JSON Schema.',
  );
});
