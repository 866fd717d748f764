// `npm run test:vm [-- CASE...]`: real kernels in QEMU. Without a name the cases of the gate run; `all` runs every one.

import { writeFileSync } from 'node:fs';
import { bootCases } from './cases/boot.ts';
import { evidenceCases } from './cases/evidence.ts';
import { jobCases } from './cases/job.ts';
import { loaderCases } from './cases/loader.ts';
import { ownCases } from './cases/own.ts';
import { randomCutCases } from './cases/random-cuts.ts';
import { rebootCases } from './cases/reboots.ts';
import { selinuxCases } from './cases/selinux.ts';
import { signatureCases } from './cases/signatures.ts';
import { stallCases } from './cases/stalls.ts';
import { systemdCases } from './cases/systemd.ts';
import { tourCases } from './cases/tour.ts';
import type { Case } from './check.ts';
import { Check } from './check.ts';
import { missingPackages, sweep } from './place.ts';

const CASES: readonly Case[] = [
  ...tourCases,
  ...jobCases,
  ...evidenceCases,
  ...rebootCases,
  ...randomCutCases,
  ...bootCases,
  ...systemdCases,
  ...loaderCases,
  ...ownCases,
  ...stallCases,
  ...signatureCases,
  ...selinuxCases,
];

/** `--transcript` writes the page of the case `tour`. */
const TRANSCRIPT = 'docs/proof.md';

async function main(given: readonly string[]): Promise<number> {
  const names = given.filter((name) => name !== '--transcript');
  if (names.length < given.length) process.env.KPATCH_PM_TRANSCRIPT ??= TRANSCRIPT;
  const missing = missingPackages();
  if (missing.length > 0) {
    console.log(`The tests on real kernels need more: apt-get install -y --no-install-recommends ${missing.join(' ')}`);
    return summary(0, 1);
  }
  sweep();
  const unknown = names.filter((name) => name !== 'all' && !CASES.some((one) => one.name === name));
  if (unknown.length > 0) {
    console.log(`No such case: ${unknown.join(' ')}. There are: ${CASES.map((one) => one.name).join(' ')} all`);
    return 2;
  }
  const chosen = CASES.filter((one) =>
    names.length === 0 ? one.gate : names.includes('all') || names.includes(one.name),
  );
  const check = new Check();
  const began = Date.now();
  for (const one of chosen) await check.run(one);
  console.log(`\n${((Date.now() - began) / 1000).toFixed(0)} s`);
  return summary(check.passed, check.failed);
}

/** The last line, also for the gate, which adds up the numbers of its stages. */
function summary(passed: number, failed: number): number {
  console.log(`${passed} passed, ${failed} failed`);
  if (process.env.COUNTS) writeFileSync(process.env.COUNTS, `${passed} ${failed}\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

// So that the machines of an interrupted run end with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

process.exitCode = await main(process.argv.slice(2));
