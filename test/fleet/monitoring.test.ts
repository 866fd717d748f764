// The metrics under the eyes of those who read them: a real node_exporter, a real Prometheus with our alerts, and promtool.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { verbOf } from '../../src/cli/verbs.ts';
import { parseCase } from '../support/cases/parse.ts';
import { buildStage, type Stage } from '../support/cases/stage.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';
import { top } from '../support/top.ts';

// Others may be using the machine at the same time.
jest.setTimeout(180_000);

const RULES = path.join(top, 'packaging/prometheus/kpatch-pm.rules.yml');
const rules = readFileSync(RULES, 'utf8');
const alerts = [...rules.matchAll(/^ {6}- alert: (\w+)$/gm)].map((match) => match[1] as string);

const MACHINE = `
@KERNELS
5.14.0-362.8.1.el9_3.x86_64 running
5.14.0-427.13.1.el9_4.x86_64

@REPO base
kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64 for=5.14.0-362.8.1.el9_3.x86_64
kpatch-patch-5_14_0-362_8_1-1-3.el9_3.x86_64 for=5.14.0-362.8.1.el9_3.x86_64

@ADVISORY base RHSA-2025:9001 severity=Important cves=CVE-2025-0002
kpatch-patch-5_14_0-362_8_1-1-3.el9_3.x86_64

@INSTALLED
kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64 for=5.14.0-362.8.1.el9_3.x86_64 signed fixes=CVE-2025-0001

@CONFIG etc/kpatch-pm/kpatch-pm.conf
[rollout]
percent = 0
`;

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Asks until the answer is the wanted one; gives the last answer when it never is. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T | null> {
  let answer: T | null = null;
  for (let tries = 0; tries < 300; tries++) {
    answer = await ask().catch(() => null);
    if (answer !== null && wanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return answer;
}

describe('the rules file', () => {
  test('names only metrics that docs/evidence.md promises', () => {
    const promised = readFileSync(path.join(top, 'docs/evidence.md'), 'utf8');
    const used = [...new Set(rules.match(/kpatch_pm_[a-z_]+/g))];
    expect(used.length).toBeGreaterThan(8);
    for (const name of used) expect(promised).toContain(`| \`${name}\` |`);
  });

  test('says what to type, and the program knows it', () => {
    const commands = [...rules.matchAll(/kpatch-pm ([a-z-]+)(?= |"|;|$)/gm)].map((match) => match[1] as string);
    expect(commands.length).toBeGreaterThan(8);
    for (const verb of commands.filter((word) => word !== 'on'))
      expect([verb, verbOf(verb)?.name]).toEqual([verb, verb]);
  });

  test('has a page that says what each alert means', () => {
    const page = readFileSync(path.join(top, 'docs/monitoring.md'), 'utf8');
    expect(alerts.length).toBeGreaterThan(10);
    for (const alert of alerts) expect(page).toContain(`| \`${alert}\` |`);
  });
});

needs('promtool')('promtool', () => {
  const promtool = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8' });

  test('check rules has nothing to say', () => {
    const { status, stdout, stderr } = promtool('check', 'rules', '--lint-fatal', RULES);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`SUCCESS: ${alerts.length} rules found`);
  });

  test('test rules: every alert comes when it should, and not otherwise', () => {
    const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-rules-'));
    try {
      const text = readFileSync(path.join(top, 'test/fleet/rules.yml'), 'utf8');
      const file = path.join(scratch, 'rules.yml');
      writeFileSync(file, text.replace('RULES', RULES));
      const { status, stdout, stderr } = promtool('test', 'rules', file);
      expect({ status, stdout, stderr }).toMatchObject({ status: 0, stderr: '' });
      // One that is expected to fire, for each.
      const fires = [...text.matchAll(/alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:\n/g)].map((match) => match[1]);
      expect([...new Set(fires)].sort()).toEqual([...alerts].sort());
      // And the test itself can fail: a healthy machine that is not.
      writeFileSync(file, text.replace('RULES', RULES).replace('values: "0+300x310"', 'values: "0x310"'));
      expect(promtool('test', 'rules', file).status).not.toBe(0);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});

needs('prometheus', 'prometheus-node-exporter')('node_exporter and Prometheus', () => {
  const children: ChildProcess[] = [];
  let scratch: string;
  let stage: Stage;
  let exporter = '';
  let prometheus = '';

  const kpm = async (...words: string[]): Promise<number> => {
    const now = new Date().toISOString();
    return main(words, surroundings({ hostPath: stage.path, uname: stage.uname, now, env: { TERM: 'dumb' } }));
  };
  const start = (program: string, ...args: string[]): void => {
    children.push(spawn(program, args, { stdio: 'ignore' }));
  };
  const metrics = async (): Promise<string> => (await fetch(`${exporter}/metrics`)).text();
  const query = async (text: string): Promise<{ metric: Record<string, string>; value: string }[]> => {
    const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(text)}`);
    const { data } = (await answer.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => ({ metric, value: value[1] }));
  };

  beforeAll(async () => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-prometheus-'));
    stage = buildStage(parseCase(MACHINE));
    expect(await kpm('metrics', '--refresh', '--output', '/srv/kpatch_pm.prom')).toBe(0);
    const [one, two] = [await freePort(), await freePort()];
    exporter = `http://127.0.0.1:${one}`;
    prometheus = `http://127.0.0.1:${two}`;
    start(
      'prometheus-node-exporter',
      '--collector.disable-defaults',
      '--collector.textfile',
      `--collector.textfile.directory=${path.join(stage.path, 'srv')}`,
      `--web.listen-address=127.0.0.1:${one}`,
    );
    const config = path.join(scratch, 'prometheus.yml');
    writeFileSync(
      config,
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${RULES}']
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['127.0.0.1:${one}']
        labels: { instance: machine }
`,
    );
    start(
      'prometheus',
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(scratch, 'data')}`,
      `--web.listen-address=127.0.0.1:${two}`,
    );
  });
  afterAll(async () => {
    for (const child of children) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    }
    rmSync(scratch, { recursive: true, force: true });
    rmSync(stage.path, { recursive: true, force: true });
  });

  test('the collector takes every line of the file, without an error', async () => {
    const text = await until(metrics, (answer) => answer.includes('kpatch_pm_info'));
    expect(text).toContain('node_textfile_scrape_error 0');
    const written = readFileSync(path.join(stage.path, 'srv/kpatch_pm.prom'), 'utf8');
    const samples = (all: string): string[] =>
      all
        .split('\n')
        .filter((line) => line.startsWith('kpatch_pm_'))
        .map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(samples(text ?? '').sort()).toEqual(samples(written).sort());
  });

  test('Prometheus has them, loads the alerts, and sees that the kernel is exposed', async () => {
    const kernel = '5.14.0-362.8.1.el9_3.x86_64';
    const state = await until(
      () => query('kpatch_pm_protected'),
      (found) => found.length > 0,
    );
    expect(state?.map(({ metric, value }) => [metric.instance, metric.kernel, value])).toEqual([
      ['machine', kernel, '0'],
    ]);
    expect((await query('kpatch_pm_cves{state="available"}')).map(({ value }) => value)).toEqual(['1']);
    expect((await query('kpatch_pm_rollout_held == 1')).map(({ metric }) => metric.kernel)).toEqual([kernel]);
    // The module is on disk and does not run; the CVE was announced on 2025-11-01, the level long ago.
    const due = ['KpatchKernelExposed', 'KpatchCveOpenTooLong', 'KpatchRolloutHeldTooLong'];
    // Prometheus looks at one rule after the other: what is seen in between is not all.
    const pending = await until(
      () => query('ALERTS{alertstate="pending"}'),
      (found) => due.every((name) => found.some(({ metric }) => metric.alertname === name)),
    );
    const names = pending?.map(({ metric }) => metric.alertname);
    expect(names).toEqual(expect.arrayContaining(due));
    expect(names).not.toContain('KpatchKernelUnprotected');
    const answer = await fetch(`${prometheus}/api/v1/rules`);
    const { data } = (await answer.json()) as { data: { groups: { rules: { name: string; health: string }[] }[] } };
    const health = data.groups.flatMap((group) => group.rules.map(({ health }) => health));
    expect(health).toEqual(alerts.map(() => 'ok'));
  });

  test('what is written anew is what is seen next, and never half of it', async () => {
    writeFileSync(path.join(stage.path, 'etc/kpatch-pm/kpatch-pm.conf'), '[main]\n');
    expect(await kpm('metrics', '--output', '/srv/kpatch_pm.prom')).toBe(0);
    const seen = await until(
      () => query('kpatch_pm_rollout_held == 1'),
      (found) => found.length === 0,
    );
    expect(seen).toEqual([]);
  });
});
