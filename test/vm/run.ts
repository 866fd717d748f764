// `npm run test:vm [-- CASE...]`: real kernels in QEMU. Without a name the cases of the gate run; `all` runs every one.
import { jobCases } from './cases/job.ts';
import { loaderCases } from './cases/loader.ts';
import { rebootCases } from './cases/reboots.ts';
import { stallCases } from './cases/stalls.ts';
import type { Case } from './check.ts';
import { Check } from './check.ts';
import { missingPackages } from './place.ts';

const CASES: readonly Case[] = [...jobCases, ...rebootCases, ...loaderCases, ...stallCases];

async function main(names: readonly string[]): Promise<number> {
  const missing = missingPackages();
  if (missing.length > 0) {
    console.log(`The tests on real kernels need more: apt-get install -y --no-install-recommends ${missing.join(' ')}`);
    console.log('0 passed, 1 failed');
    return 1;
  }
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
  console.log(`${check.passed} passed, ${check.failed} failed`);
  return check.failed === 0 && check.passed > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
