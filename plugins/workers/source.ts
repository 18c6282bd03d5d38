/**
 * The program that a worker runs. It carries out calls of the WebAssembly module, one after another. Its first message is the
 * compiled module, every further message is a call.
 *
 * The program is a string, so that no bundler has to find a file for it. It is plain JavaScript, because nothing compiles it.
 *
 * When a call fails, the worker answers with the error and drops the WebAssembly instance, which may be broken. The next call
 * makes a new one.
 */
export const SOURCE = `
'use strict';
const port = typeof require === 'function' ? require('node:worker_threads').parentPort : self;
const imports = {
  env: { emscripten_notify_memory_growth() {} },
  wasi_snapshot_preview1: { proc_exit(code) { throw new Error('the WebAssembly module exited with code ' + code); } },
};
let module;
let exports;

function perform({ name, sizes, region }) {
  exports = exports || new WebAssembly.Instance(module, imports).exports;
  const address = exports.malloc(region.byteLength) >>> 0;
  if (address === 0) throw new Error('WebAssembly has no memory for ' + region.byteLength + ' bytes');
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
