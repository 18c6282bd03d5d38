/** Files that former versions of the library wrote, and the steps from one version of the format to the next. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFactors, decodePosterior, type Matrix } from 'tfjs-laplace';
import { migrated, VERSION } from '../../src/files/versions.js';
import { keptOf } from '../support/kept.js';
import { right } from '../support/math/laplace.js';
import { relativeError } from '../support/math/numbers.js';

const file = (version: number, name: string): Uint8Array =>
  readFileSync(join(__dirname, `version${version}`, `${name}.safetensors`));

/** The matrices were computed on another machine in 32-bit floating point. */
const ROUNDING = 1e-5;

/**
 * `version1` has what encodePosterior and encodeFactors of tfjs-laplace 0.1.0 made of these cases of `support/kept.ts`. A file of a former
 * version is never written anew: it is what users have.
 */
describe('files of version 1', () => {
  it.each(['kronecker', 'eigen'])('hold the posterior and the factors: %s', async (name) => {
    const { posterior, factors } = await keptOf(name);
    const [old, oldFactors] = [
      right(decodePosterior(file(1, `posterior-${name}`))),
      right(decodeFactors(file(1, `factors-${name}`))),
    ];
    const facts = ({ layers, logLikelihood, ...rest }: typeof posterior) => ({
      ...rest,
      layers: layers.map(({ name: layer, structure, members, groups, n, m, bias, priorPrecision }) => ({
        ...{ layer, structure, members, groups, n, m, bias, priorPrecision },
      })),
    });
    expect(facts(old)).toEqual(facts(posterior));
    old.layers.forEach(({ mean }, l) => {
      expect(relativeError(mean, posterior.layers[l]?.mean as Matrix)).toBeLessThan(ROUNDING);
    });
    expect({ ...oldFactors.layout, basis: '' }).toEqual({ ...factors.layout, basis: '' });
    oldFactors.layers.forEach(({ parts }, l) => {
      for (const [part, sums] of Object.entries(parts)) {
        const { parts: now } = factors.layers[l] as unknown as { readonly parts: Readonly<Record<string, Matrix>> };
        // The squares along eigenvectors have no more digits than the vectors.
        expect(relativeError(sums, now[part] as Matrix)).toBeLessThan(100 * ROUNDING);
      }
    });
  });

  it('have a file for each version that is read', () => {
    for (let version = 1; version <= VERSION; version++) expect(file(version, 'posterior-kronecker').length).toBeGreaterThan(0);
  });
});

it('takes a manifest through the steps from its version to the newest, in order', () => {
  const steps = ['a', 'b', 'c'].map((letter) => (manifest: unknown, kind: string) => `${manifest}${letter}${kind[0]}`);
  expect(migrated(1, 'posterior', '', steps)).toBe('apbpcp');
  expect(migrated(3, 'factors', '', steps)).toBe('cf');
  expect(migrated(4, 'factors', 'whole', steps)).toBe('whole');
  expect(migrated(VERSION, 'factors', 'whole')).toBe('whole');
});
