// What is measured by package.ts: one package from its file to its modules on disk, as installing does it.
//   FILE KEYFILE KERNEL DIRECTORY
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { extractModules } from '../../src/apply/extract.ts';
import { verifySigned } from '../../src/apply/verify.ts';
import { kernelRelease } from '../../src/domain/kernel.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { realRun } from '../../src/host/run.ts';

/** Does it, and ends as the program ends. What installing does beside is the same for rpm: fetching, syncing, the rpm database. */
export async function run([file = '', keyFile = '', release = '', directory = '']: readonly string[]): Promise<void> {
  const kernel = kernelRelease(release);
  if (kernel === null) throw new Error(`${release} is no kernel release`);
  const trust = { keys: parseKeys(readFileSync(keyFile)), allowUnsigned: false, now: new Date() };
  const signed = verifySigned(parseRpm(readFileSync(file)), trust);
  const { modules } = await extractModules(signed, kernel, realRun.filter);
  for (const module of modules) {
    const home = path.join(directory, 'usr/lib/kpatch', kernel);
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, module.file), module.bytes, { mode: module.mode });
  }
  process.exit(0);
}
