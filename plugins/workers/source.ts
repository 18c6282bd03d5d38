/**
 * What a worker runs: calls of the WebAssembly module, one after another. It is a text, as every bundler loses some file of its own
 * and this needs none; it is plain JavaScript, since nothing translates it. Its first message is the module, the others are calls.
 *
 * A call that fails is answered by its error, and ends the instance that it failed in: it may be broken.
 */
export const SOURCE = `
'use strict';
const port = typeof require === 'function' ? require('node:worker_threads').parentPort : self;
const imports = {
  env: { emscripten_notify_memory_growth() {} },
  wasi_snapshot_preview1: { proc_exit(code) { throw new Error('the module gave up with code ' + code); } },
};
let module;
let exports;

function perform({ name, sizes, region }) {
  exports = exports || new WebAssembly.Instance(module, imports).exports;
  const address = exports.malloc(region.byteLength) >>> 0;
  if (address === 0) throw new Error('no memory for ' + region.byteLength + ' bytes');
  const View = region.constructor;
  new View(exports.memory.buffer, address, region.length).set(region);
  const status = exports[name](address, ...sizes);
  region.set(new View(exports.memory.buffer, address, region.length));
  exports.free(address);
  return { status, region };
}

port.onmessage = ({ data }) => {
  if (module === undefined) {
    module = data;
    return;
  }
  try {
    const reply = perform(data);
    port.postMessage({ reply }, [reply.region.buffer]);
  } catch (error) {
    exports = undefined;
    port.postMessage({ error: String(error) });
  }
};
`;
