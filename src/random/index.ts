/** Seeded, splittable random numbers on the host. */
export { foldIn, type Key, key, split } from './key.js';
export { DESIGNS, type Design, noiseAt, noiseNormals, noiseOf, SEQUENCES } from './noise.js';
export { normals, uniforms } from './normals.js';
