/** JSON of results: typed arrays are lists, and infinite numbers the words 'Infinity' and '-Infinity', as in reports. */
const plain = (_key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
};

export const jsonOf = (value: unknown, indent?: number): string => JSON.stringify(value, plain, indent);
