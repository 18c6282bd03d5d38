import { either as E } from 'fp-ts';
import { choose } from '../../plugins/backends/choose.js';
import { cacheState, firstThatLoads, isStillTrue, whyNoBuild, withoutNative } from '../../scripts/setup/native/decide.mjs';

const host = { platform: 'linux', arch: 'x64', glibc: '2.36', python: 'python3', pip: true, compiler: 'c++' };

describe('which way to a binding is taken', () => {
  const trace = async (outcomes: Record<string, string | undefined>, loads: ReadonlyArray<string>) => {
    const tried: string[] = [];
    const attempt = (name: string) => async () => {
      tried.push(name);
      return outcomes[name];
    };
    const ways = ['there', 'cached', 'installer', 'build'].map((name) => ({ name, attempt: attempt(name) }));
    const result = await firstThatLoads(ways, async () =>
      loads.includes(String(tried.at(-1))) ? undefined : 'it does not load',
    );
    return { tried, result };
  };

  it('stops at a binding that is there and loads', async () => {
    expect(await trace({}, ['there'])).toEqual({ tried: ['there'], result: { name: 'there' } });
  });

  it('goes on where a binding is there but does not load', async () => {
    expect((await trace({}, ['cached'])).tried).toEqual(['there', 'cached']);
  });

  it('builds where the installer fails', async () => {
    const { tried, result } = await trace({ there: 'none', cached: 'none', installer: 'ENOTFOUND' }, ['build']);
    expect(tried).toEqual(['there', 'cached', 'installer', 'build']);
    expect(result).toEqual({ name: 'build' });
  });

  it('gives every reason, in order, where everything fails', async () => {
    const { result } = await trace({ there: 'none', cached: 'none', installer: 'ENOTFOUND', build: 'no compiler' }, []);
    expect(result).toEqual({ why: ['there: none', 'cached: none', 'installer: ENOTFOUND', 'build: no compiler'] });
  });

  it('says plainly what WASM costs, and why it is so', () => {
    const text = withoutNative(['installer: ENOTFOUND', 'build: no compiler']);
    expect(text).toContain('goes on with WASM');
    const wasm = choose(undefined, [{ name: 'wasm' }]);
    expect(text).toContain(E.isRight(wasm) && wasm.right.cost);
    expect(text).toContain('  - installer: ENOTFOUND\n  - build: no compiler');
  });
});

describe('whether an earlier set-up answers this one', () => {
  const now = { key: 'a', bindingExists: true, tryAgain: false };
  const works = { key: 'a', name: 'build' };
  const failed = { key: 'a', why: ['no compiler'] };

  it.each([
    ['none before', undefined, now, false],
    ['a binding that is still there', works, now, true],
    ['a binding that is gone with its cache', works, { ...now, bindingExists: false }, false],
    ['other versions since', works, { ...now, key: 'b' }, false],
    ['a failure', failed, { ...now, bindingExists: false }, true],
    ['a failure, and a wish to try again', failed, { ...now, tryAgain: true }, false],
    ['a binding, and a wish to try again', works, { ...now, tryAgain: true }, true],
  ])('%s', (_, record, facts, expected) => {
    expect(isStillTrue(record, facts)).toBe(expected);
  });
});

describe('why the wheel is not built on', () => {
  it('has no reason where all is there', () => {
    expect(whyNoBuild(host)).toBeUndefined();
  });

  it.each([
    ['another system', { platform: 'darwin', arch: 'arm64' }, 'this is darwin arm64'],
    ['another processor', { arch: 'arm64' }, 'this is linux arm64'],
    ['a C library that is not glibc', { glibc: undefined }, 'this is another C library'],
    ['an old glibc', { glibc: '2.9' }, 'this is 2.9'],
    ['no compiler', { compiler: undefined }, 'no C++ compiler'],
    ['no Python', { python: undefined, pip: false }, 'no Python'],
    ['no pip', { pip: false }, 'python3 has no pip'],
  ])('%s', (_, lack, sentence) => {
    expect(whyNoBuild({ ...host, ...lack })).toContain(sentence);
  });
});

describe('what lies in the cache', () => {
  const listed = { 'lib.so': 5, 'include/c_api.h': 2 };
  const folder = (files: Record<string, number>) => (file: string) => files[file];

  it.each([
    ['no folder', undefined, {}, 'absent'],
    ['a folder without its list of files, which is written last', undefined, { '': 1, 'lib.so': 5 }, 'half made'],
    ['a file that is missing', listed, { '': 1, 'lib.so': 5 }, 'half made'],
    ['a file that is cut short', listed, { '': 1, 'lib.so': 4, 'include/c_api.h': 2 }, 'half made'],
    ['all of it', listed, { '': 1, 'lib.so': 5, 'include/c_api.h': 2 }, 'ready'],
  ])('%s', (_, list, files, expected) => {
    expect(cacheState(list, folder(files as Record<string, number>))).toBe(expected);
  });
});
