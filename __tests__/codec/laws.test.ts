/** What every codec of the DSL promises: see src/codec/codec.ts. */

import fc from 'fast-check';
import { either as E } from 'fp-ts';
import { type AnyCodec, decode, LayerSelectionCodec } from '../../src/codec/index.js';
import { CurvatureCodec } from '../../src/curvature/codec.js';
import { LikelihoodCodec } from '../../src/likelihood/index.js';
import { PriorCodec } from '../../src/posterior/codec.js';
import { DampingCodec } from '../../src/posterior/damping.js';
import { PredictiveCodec } from '../../src/predictive/codec.js';
import { RecipeCodec } from '../../src/recipe/codec.js';
import { EpochSelectionCodec } from '../../src/stream/codec.js';
import { TuningCodec } from '../../src/tuning/codec.js';
import * as arbitrary from './arbitraries.js';

/** A codec, its values, those among them that JSON holds, and what may be written for them. */
const CODECS: ReadonlyArray<readonly [string, AnyCodec, fc.Arbitrary<unknown>, fc.Arbitrary<unknown>, fc.Arbitrary<unknown>]> = [
  ['likelihood', LikelihoodCodec, arbitrary.likelihood, arbitrary.likelihoodData, arbitrary.likelihoodInput],
  ['curvature', CurvatureCodec, arbitrary.curvature, arbitrary.curvatureData, arbitrary.curvatureInput],
  ['epochs', EpochSelectionCodec, arbitrary.epochs, arbitrary.epochData, arbitrary.epochsInput],
  ['prior', PriorCodec, arbitrary.prior, arbitrary.prior, arbitrary.priorInput],
  ['damping', DampingCodec, arbitrary.damping, arbitrary.damping, arbitrary.dampingInput],
  ['layers', LayerSelectionCodec, arbitrary.layers, arbitrary.layers, arbitrary.layers],
  ['predictive', PredictiveCodec, arbitrary.predictive, arbitrary.predictiveData, arbitrary.predictiveInput],
  ['tuning', TuningCodec, arbitrary.tuning, arbitrary.tuningData, arbitrary.tuning],
  ['recipe', RecipeCodec, arbitrary.anyRecipe, arbitrary.recipeData, arbitrary.anyRecipeInput],
];

const isDeeplyFrozen = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen));

describe.each(CODECS)('%s', (_, codec, value, data, input) => {
  const given = (arb: fc.Arbitrary<unknown>, law: (found: unknown) => void) => fc.assert(fc.property(arb, law));

  it('decodes a value to itself', () => {
    given(value, (found) => expect(codec.decode(found)).toEqual(E.right(found)));
  });

  it('knows its values', () => {
    given(value, (found) => expect(codec.is(found)).toBe(true));
  });

  it('decodes whatever may be written to a frozen value, which decodes to itself', () => {
    given(input, (found) => {
      const decoded = E.toUnion(codec.decode(found));
      expect(codec.is(decoded)).toBe(true);
      expect(isDeeplyFrozen(decoded)).toBe(true);
      expect(codec.decode(decoded)).toEqual(E.right(decoded));
    });
  });

  it('leaves the input as it is', () => {
    given(input, (found) => {
      const before = found === undefined ? undefined : JSON.stringify(found);
      codec.decode(found);
      expect(JSON.stringify(found)).toBe(before);
      expect(Object.isFrozen(found)).toBe(typeof found !== 'object');
    });
  });

  it('decodes what it encodes, also through JSON', () => {
    given(data, (found) => {
      const decoded = E.toUnion(codec.decode(found));
      expect(codec.decode(codec.encode(decoded))).toEqual(E.right(decoded));
      expect(codec.decode(JSON.parse(JSON.stringify(codec.encode(decoded))))).toEqual(E.right(decoded));
    });
  });

  it('decodes anything to a value of its own or to problems in words', () => {
    given(fc.oneof(fc.anything(), fc.object({ key: fc.constantFrom('_tag', 'likelihood', 'layers', 'prior', 'x') })), (found) => {
      const decoded = decode(codec, found);
      if (E.isRight(decoded)) {
        expect(codec.is(decoded.right)).toBe(true);
      } else {
        expect(codec.is(found)).toBe(false);
        expect(decoded.left.issues.length).toBeGreaterThan(0);
        for (const issue of decoded.left.issues) {
          for (const part of Object.values(issue)) expect(decoded.left.message).toContain(part);
          expect(issue.found).not.toBe('');
          expect(issue.expected).not.toBe('');
        }
      }
    });
  });
});
