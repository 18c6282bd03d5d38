/** The modules of Node that files on disk need. They are loaded when they are used, since browsers have none. */

/** The names are put together at run time, because a bundler for browsers would follow a literal name in an import. */
const [FS, SYNC, PATH] = ['fs/promises', 'fs', 'path'].map((name) => ['node', name].join(':')) as [string, string, string];

export const loadNode = async () => {
  const [fs, sync, path] = await Promise.all([
    import(/* @vite-ignore */ /* webpackIgnore: true */ FS) as Promise<typeof import('node:fs/promises')>,
    import(/* @vite-ignore */ /* webpackIgnore: true */ SYNC) as Promise<typeof import('node:fs')>,
    import(/* @vite-ignore */ /* webpackIgnore: true */ PATH) as Promise<typeof import('node:path')>,
  ]);
  return { fs, sync, path };
};
