/** Both hashes are SHA-256: the examples of FIPS 180-4, and each other on random pieces. */
import { sha256 as portable } from '@noble/hashes/sha2';
import fc from 'fast-check';
import { sha256 } from '../../src/files/sha256.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
])('%p', (text, digits) => {
  expect(sha256().update(utf8(text)).digits()).toBe(digits);
  expect(sha256(portable.create()).update(utf8(text)).digits()).toBe(digits);
});

it('does not depend on the pieces, nor on who computes it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (pieces) => {
      const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
      const digits = [sha256(), sha256(portable.create())].map((hash) => {
        for (const piece of pieces) hash.update(piece);
        return hash.digits();
      });
      expect(digits).toEqual([sha256().update(whole).digits(), digits[0]]);
    }),
  );
});
