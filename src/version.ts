/** The version of the library, as in package.json. Files say which version wrote them. */
export const LIBRARY_VERSION = '0.1.0';
