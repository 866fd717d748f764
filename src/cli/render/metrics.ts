// Metrics for node_exporter's textfile collector, and one line for Nagios. Source: Prometheus text exposition format 0.0.4
// (no timestamps: the collector refuses them); Monitoring Plugins Guidelines (status words, codes, perfdata).
// The names are documented in docs/evidence.md; none is ever given another meaning.
import { CVE_STATES, type CveReport, type CveState } from '../../decide/cves.ts';
import { oldestFixes } from '../../decide/exposure.ts';
import type { RebootReport } from '../../decide/reboot.ts';
import type { KernelReport, Verdict } from '../../decide/verdict.ts';
import type { Verification } from '../../decide/verify.ts';
import type { World } from '../../domain/world.ts';
import { clean } from './clean.ts';
import { VERDICT_MARKS } from './status.ts';

export interface MetricsView {
  readonly world: World;
  readonly version: string;
  readonly kernels: readonly KernelReport[];
  /** Of the running kernel; null where none of this root runs. */
  readonly verification: Verification | null;
  readonly cves: readonly CveReport[];
  readonly reboot: RebootReport;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [Labels, number];

const quoted = (text: string): string =>
  clean(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function metric(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => {
    const inside = Object.entries(labels).map(([key, text]) => `${key}="${quoted(text)}"`);
    return `kpatch_pm_${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${value}`;
  });
  return `# HELP kpatch_pm_${name} ${help}\n# TYPE kpatch_pm_${name} gauge\n${lines.join('\n')}\n`;
}

const flag = (yes: boolean): number => (yes ? 1 : 0);
const VERDICTS = Object.keys(VERDICT_MARKS) as Verdict[];
const ANSWERS: readonly RebootReport['answer'][] = ['no', 'not-yet', 'yes', 'cannot-tell'];

/** The whole file. */
export function metricsText({ world, version, kernels, verification, cves, reboot }: MetricsView): string {
  const states = Object.keys(CVE_STATES) as CveState[];
  const count = (state: CveState): number => cves.filter((one) => one.state === state).length;
  const running = verification?.release ?? '';
  return [
    metric('info', 'Version of kpatch-pm; always 1.', [[{ version }, 1]]),
    metric('time_seconds', 'When this was found out, seconds since 1970.', [
      [{}, Math.floor(Date.parse(world.time) / 1000)],
    ]),
    metric('autoupdate', 'Whether live patches are taken automatically.', [[{}, flag(world.settings.autoupdate)]]),
    metric(
      'metadata_age_seconds',
      'Seconds since the repository last confirmed its metadata.',
      world.repositories.flatMap(({ id, ageSeconds }): Sample[] =>
        ageSeconds === null ? [] : [[{ repo: id }, ageSeconds]],
      ),
    ),
    metric(
      'metadata_stale',
      'Whether the metadata of a repository is past its expiry, or could not be had.',
      world.repositories.map(({ id, stale, used }): Sample => [{ repo: id }, flag(stale || !used)]),
    ),
    metric(
      'key_trouble',
      'Whether the last key that may sign live patches expires soon, has expired, or is not trusted.',
      [[{}, flag(world.notices.some(({ code }) => code === 'key-expiring' || code === 'key-missing'))]],
    ),
    metric(
      'advisories_known',
      'Whether the advisories of a repository could be read; where one could not, cves counts too few.',
      world.advisoryStates.map(({ repo, state }): Sample => [{ repo }, flag(state !== 'unread')]),
    ),
    metric(
      'kernel_verdict',
      'The verdict on an installed kernel: 1 for the one that applies.',
      kernels.flatMap(({ release, verdict }) =>
        VERDICTS.map((one): Sample => [{ kernel: release, verdict: one }, flag(one === verdict)]),
      ),
    ),
    metric(
      'kernel_running',
      'Whether an installed kernel is the running one.',
      kernels.map(({ release, running: runs }): Sample => [{ kernel: release }, flag(runs)]),
    ),
    metric(
      'protected',
      'Whether the running kernel is proven to run the newest known live patch; absent when that cannot be told.',
      verification === null || verification.proof === 'cannot-tell'
        ? []
        : [[{ kernel: running }, flag(verification.proof === 'protected')]],
    ),
    metric(
      'transition',
      'Whether a live patch of the running kernel is in transition.',
      world.loaded.map(({ module, transition }): Sample => [{ module }, flag(transition)]),
    ),
    metric(
      'cves',
      'CVEs named for the running kernel, by state.',
      verification === null ? [] : states.map((state): Sample => [{ kernel: running, state }, count(state)]),
    ),
    metric(
      'oldest_fix_time_seconds',
      'When the fix was announced of the CVE that has been open longest, seconds since 1970, by state.',
      [...oldestFixes(cves, world)].map(([state, time]): Sample => [{ kernel: running, state }, time]),
    ),
    metric(
      'quarantined',
      'Modules that the crash guard took out of use.',
      (world.quarantined ?? []).map(({ kernel, module }): Sample => [{ kernel, module }, 1]),
    ),
    metric(
      'rollout_held',
      'Whether a level on offer for an installed kernel waits for its turn on this machine.',
      kernels.map(({ release, rollout }): Sample => [{ kernel: release }, flag(Boolean(rollout))]),
    ),
    metric(
      'rollout_published_time_seconds',
      'When the level that waits was published, seconds since 1970; absent when nothing waits.',
      kernels.flatMap(({ release, rollout }): Sample[] =>
        rollout?.published ? [[{ kernel: release }, rollout.published]] : [],
      ),
    ),
    metric(
      'reboot',
      'Whether the kernel needs a reboot: 1 for the answer that applies.',
      ANSWERS.map((answer): Sample => [{ answer }, flag(answer === reboot.answer)]),
    ),
  ].join('');
}

export const NAGIOS = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;
type NagiosState = keyof typeof NAGIOS;

/** Verdicts that leave the running kernel without any live patch although one is there. */
const EXPOSED: readonly Verdict[] = ['not-installed', 'installed-not-loaded', 'quarantined'];

function nagiosState({ verification, kernels }: MetricsView): NagiosState {
  if (verification === null || verification.proof === 'cannot-tell') return 'UNKNOWN';
  if (verification.proof !== 'not-protected') return 'OK';
  const verdict = kernels.find(({ release }) => release === verification.release)?.verdict;
  return verdict !== undefined && EXPOSED.includes(verdict) ? 'CRITICAL' : 'WARNING';
}

/** One line and the status that goes with it. */
export function nagiosLine(view: MetricsView): { readonly line: string; readonly status: number } {
  const { verification, cves, world } = view;
  const state = nagiosState(view);
  const first = verification?.first ?? null;
  const what =
    verification === null
      ? 'no kernel of this root runs'
      : first === null
        ? `kernel ${verification.release} is protected`
        : `kernel ${verification.release}: ${first.name}: ${first.text}`;
  const open = cves.filter((one) => ['on-disk', 'available', 'reboot', 'out-of-reach'].includes(one.state)).length;
  const ages = world.repositories.flatMap(({ ageSeconds }) => ageSeconds ?? []);
  const age = ages.length > 0 ? ` metadata_age=${Math.max(...ages)}s` : '';
  // A bar would begin the perfdata.
  const text = clean(what).replaceAll('|', '/');
  // `U`: not to be determined. A count that leaves out what could not be read would be a lie.
  const counted = view.reboot.blind === null && verification !== null ? String(open) : 'U';
  return { line: `KPATCH ${state} - ${text} | open_cves=${counted}${age}\n`, status: NAGIOS[state] };
}
