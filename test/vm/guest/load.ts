// Runs inside a guest: calls the loader directly, for what no verb of the program can provoke. Prints one JSON line.
//   node load.mjs load|unload '{"file": ..., "module": ..., ...}'
import os from 'node:os';
import { loadingForbidden } from '../../../src/apply/load/forbidden.ts';
import { loadModule, unloadModule } from '../../../src/apply/load/load.ts';
import type { KernelRelease } from '../../../src/domain/kernel.ts';
import { KpmError } from '../../../src/errors.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { Root } from '../../../src/host/root.ts';
import { realRun } from '../../../src/host/run.ts';
import { loadedPatches } from '../../../src/observe/system/loaded.ts';

const [verb, text = '{}'] = process.argv.slice(2);
const host = new Root('/');
const machine: Machine = {
  root: host,
  host,
  run: realRun,
  now: () => new Date(),
  env: process.env,
  live: true,
  uname: os.release(),
  arch: 'x86_64',
  uid: 0,
  user: 'root',
  version: '0',
};
const request = JSON.parse(text);

async function answer(): Promise<unknown> {
  if (verb === 'unload') return unloadModule({ machine, ...request });
  if (verb === 'forbidden') return loadingForbidden(machine);
  return loadModule({
    machine,
    kernel: os.release() as KernelRelease,
    sha256: null,
    loader: 'builtin',
    utility: { path: null, version: null },
    ...request,
  });
}

const loaded = (): unknown[] =>
  loadedPatches(host).map(({ module, enabled, transition }) => ({ module, enabled, transition }));

try {
  const result = await answer();
  console.log(JSON.stringify({ result, loaded: loaded() }));
} catch (error) {
  if (!(error instanceof KpmError)) throw error;
  const { code, message, subject, hint, cause } = error;
  console.log(JSON.stringify({ error: { code, text: message, subject, hint, cause }, loaded: loaded() }));
}
