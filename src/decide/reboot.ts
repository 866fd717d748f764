// Does this machine need a reboot for its kernel's sake? Three answers: no; not yet, live patches cover what they can and
// these CVEs wait; yes. Only the kernel is judged: libraries and services are the business of needs-restarting(1).
import { compareCves, type Evidence } from '../domain/evidence.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import type { World } from '../domain/world.ts';
import { blindSpots, cveReports } from './cves.ts';
import { compareKernels, kernelEvr, kernelNames } from './fixes.ts';
import type { Verification } from './verify.ts';

export type RebootAnswer = 'no' | 'not-yet' | 'yes' | 'cannot-tell';

export interface WaitingCve {
  readonly cve: string;
  /** The kernel that fixes it. */
  readonly kernel: string;
  readonly severity: string | null;
}

export interface RebootReport {
  readonly answer: RebootAnswer;
  readonly text: string;
  /** `uname -r`; null when nothing of this root runs. */
  readonly running: string | null;
  /** The newest installed kernel of the same flavour, when it is newer than the running one. */
  readonly newer: string | null;
  /** CVEs that no live patch fixes and a newer kernel does. */
  readonly waiting: readonly WaitingCve[];
  /** What could not be seen; null when everything was. */
  readonly blind: string | null;
  readonly next: readonly string[];
}

export function rebootReport(world: World, evidence: Evidence, verification: Verification | null): RebootReport {
  const running = world.live ? (world.kernels.find((kernel) => kernel.running) ?? null) : null;
  if (running === null || verification === null) {
    const text =
      running === null && world.live ? 'the running kernel is not known' : 'this root is not the running system';
    return { answer: 'cannot-tell', text, running: null, newer: null, waiting: [], blind: null, next: [] };
  }
  const newer = newestAbove(running, world);
  const waiting = cveReports(running, world, evidence)
    .filter(({ state, by }) => state === 'reboot' && by !== null)
    .map(({ cve, by, severity }): WaitingCve => ({ cve, kernel: by as string, severity }))
    .sort((a, b) => compareCves(a.cve, b.cve));
  const facts = { running: running.release, newer, waiting, blind: blindSpots(world) };
  return { ...facts, ...judge(facts, verification) };
}

type Judged = Pick<RebootReport, 'answer' | 'text' | 'next'>;
type Known = Pick<RebootReport, 'newer' | 'waiting' | 'blind'> & { readonly running: string };

function judge({ newer, waiting, running }: Known, verification: Verification): Judged {
  const differs = verification.layers.find((layer) => layer.state === 'broken' && layer.mend === 'systemctl reboot');
  if (differs) return { answer: 'yes', text: differs.text, next: ['systemctl reboot'] };
  const patched = verification.layers.find(({ name }) => name === 'kernel')?.state === 'ok';
  const count = waiting.length === 1 ? 'one CVE waits' : `${waiting.length} CVEs wait`;
  if (newer !== null && !patched) {
    const text = `kernel ${newer} is installed and ${running} runs without a live patch`;
    return { answer: 'yes', text, next: ['systemctl reboot'] };
  }
  if (newer !== null) {
    const what = waiting.length > 0 ? `; ${count} for the reboot` : '';
    const text = `${running} is covered by a live patch; kernel ${newer} is installed${what}`;
    return { answer: 'not-yet', text, next: waiting.length > 0 ? ['kpatch-pm cves', 'systemctl reboot'] : [] };
  }
  if (waiting.length > 0) {
    const text = `${count} for a newer kernel, which is not installed`;
    return { answer: 'not-yet', text, next: ['dnf update kernel', 'systemctl reboot'] };
  }
  return { answer: 'no', text: `${running} is the newest installed kernel`, next: [] };
}

/** The newest installed kernel above this one, of the same flavour: another flavour is another machine's choice. */
function newestAbove(running: InstalledKernel, world: World): string | null {
  const names = kernelNames(running).join();
  const above = world.kernels.filter(
    (kernel) =>
      kernel.arch === running.arch &&
      kernelNames(kernel).join() === names &&
      kernel.release.split('+')[1] === running.release.split('+')[1] &&
      compareKernels(kernelEvr(kernel), kernelEvr(running)) > 0,
  );
  above.sort((a, b) => compareKernels(kernelEvr(b), kernelEvr(a)));
  return above[0]?.release ?? null;
}
