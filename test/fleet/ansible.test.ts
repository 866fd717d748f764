// The collection under real ansible-core, over real ssh, on several machines: one that fails stops the waves behind it.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FIXTURES, KERNELS } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { type SshHosts, sshHosts } from '../support/ssh-hosts.ts';
import { top } from '../support/top.ts';

const COLLECTION = path.join(top, 'packaging/ansible');
const KEY = '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B';
const LEVEL = 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64';
/** What kernels say at boot, and programs at any time, is no trouble. */
const BOOTED = `6,1,1,-;Linux version
4,2,1,-;Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/admin-guide/hw-vuln/srso.html
14,3,9,-;BUG: a program says so
4,4,9,-;warning: a program used a deprecated sysctl
`;
/** Every play asks several machines; other tests may run beside it. */
const LONG = 600_000;
/** In the order of the waves: the canary, three, the rest. Nothing listens where `gone` should be. */
const NAMES = ['canary1', 'web2', 'web3', 'web4'];
const IN_ORDER = ['canary1', 'web2', 'web3', 'gone', 'web4'];
const MODULES = ['livepatch', 'livepatch_info', 'livepatch_key'];

const yamlFiles = readdirSync(COLLECTION, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yml'),
);

needs(
  'ansible-playbook',
  'ansible-galaxy',
  'sshd',
  'ssh',
  'python3',
)('the collection', () => {
  let machines: SshHosts;
  let env: Record<string, string>;
  const at = (...parts: string[]): string => path.join(machines.scratch, ...parts);
  const rootOf = (name: string): string => machines.hosts.find((host) => host.name === name)?.root ?? '';
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { env, cwd: machines.scratch, encoding: 'utf8' });
    return { status, out: stdout, err: stderr };
  };
  const play = (file: string, ...args: string[]) => run('ansible-playbook', '-i', at('inventory.yml'), file, ...args);
  const rollout = (...args: string[]) =>
    play('kpatch_pm.livepatch.rollout', '-e', '{"livepatch_waves": [3, "100%"]}', ...args);
  /** `web1 : ok=9 changed=2 ... failed=0` of the recap, as numbers. */
  const recap = (out: string, host: string): Record<string, number> => {
    const line = out.split('\n').find((text) => text.startsWith(`${host} `)) ?? '';
    return Object.fromEntries([...line.matchAll(/(\w+)=(\d+)/g)].map(([, word, count]) => [word, Number(count)]));
  };
  /** Every file of a root with its content, but for the cache of metadata. */
  const contents = (name: string): Record<string, string> => {
    const files = readdirSync(rootOf(name), { recursive: true, encoding: 'utf8' }).filter((file) => {
      return (
        !/^var\/cache\//.test(file) && !/^(?:srv|kmsg)/.test(file) && statSync(path.join(rootOf(name), file)).isFile()
      );
    });
    return Object.fromEntries(files.sort().map((file) => [file, readFileSync(path.join(rootOf(name), file), 'hex')]));
  };
  const installed = (name: string): string[] => {
    const place = path.join(rootOf(name), 'var/lib/kpatch', KERNELS.K1);
    return existsSync(place) ? readdirSync(place) : [];
  };
  const outcomes = (directory = 'livepatch-report'): Record<string, string> =>
    Object.fromEntries(
      readFileSync(at(directory, 'rollout.txt'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
  /** A repository of the machine's own, whose packages can be damaged. */
  const serve = (name: string, damaged: boolean): void => {
    const served = path.join(rootOf(name), 'srv/el9');
    cpSync(path.join(FIXTURES, 'el9'), served, { recursive: true });
    if (damaged) writeFileSync(path.join(served, 'Packages', `${LEVEL}.rpm`), 'no package');
  };

  beforeAll(async () => {
    machines = await sshHosts(NAMES);
    const program = at('dist');
    const built = spawnSync(process.execPath, [path.join(top, 'packaging/build.mjs'), program], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    // What is typed as kpatch-pm on the machines and on the controller.
    writeFileSync(at('kpatch-pm'), `#!/bin/sh\nexec ${process.execPath} ${program}/kpatch-pm.cjs "$@"\n`, {
      mode: 0o755,
    });
    env = {
      PATH: `${machines.scratch}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: machines.scratch,
      PWD: machines.scratch,
      LANG: 'C.UTF-8',
      ANSIBLE_CONFIG: at('ansible.cfg'),
    };
    writeFileSync(
      at('ansible.cfg'),
      `[defaults]
collections_path = ${at('collections')}
host_key_checking = False
nocows = True
retry_files_enabled = False
interpreter_python = /usr/bin/python3
local_tmp = ${at('local')}
forks = 5
timeout = 10
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=/dev/null
control_path_dir = ${at('cp')}
`,
    );
    const hosts = machines.hosts.map(({ name, address, port, root }) => {
      for (const [file, text] of [
        [`lib/modules/${KERNELS.K1}/modules.builtin`, ''],
        ['etc/dnf/dnf.conf', '[main]\n'],
        ['etc/machine-id', `${Buffer.from(name.padEnd(16, '.')).toString('hex')}\n`],
        ['etc/yum.repos.d/el9.repo', `[el9]\nname=el9\nbaseurl=file://${root}/srv/el9\nenabled=1\ngpgcheck=1\n`],
        ['kmsg', BOOTED],
      ] as const) {
        mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
        writeFileSync(path.join(root, file), text);
      }
      serve(name, name === 'web2');
      const vars = `{ansible_host: ${address}, ansible_port: ${port}, livepatch_installroot: ${root}, livepatch_kernel_log: ${root}/kmsg}`;
      return `        ${name}: ${vars}\n`;
    });
    // Port 1 of the loopback: nobody listens there.
    hosts.splice(IN_ORDER.indexOf('gone'), 0, '        gone: {ansible_host: 127.0.0.250, ansible_port: 1}\n');
    writeFileSync(
      at('inventory.yml'),
      `all:
  vars:
    ansible_ssh_private_key_file: ${machines.key}
    ansible_remote_tmp: ${at('remote')}
    livepatch_command: ${at('kpatch-pm')}
    livepatch_become: false
    livepatch_package: ''
    livepatch_soak: 0
    livepatch_delay: 1
    livepatch_retries: 1
    livepatch_patience: 10
  children:
    canary:
      hosts:
        canary1:
    fleet:
      hosts:
${hosts.join('')}`,
    );
    writeFileSync(
      at('site.yml'),
      `- hosts: all
  gather_facts: false
  roles:
    - role: kpatch_pm.livepatch.livepatch
      vars:
        livepatch_update: manual
        livepatch_config: {lock_timeout: 60, maintenance_window: 'Sat,Sun 00:00-24:00'}
        livepatch_keys:
          - fingerprints: ['${KEY.replace(/(.{4})/g, '$1 ').trim()}']
            path: ${FIXTURES}/keys/RPM-GPG-KEY-fixtures
            pin: rhel
`,
    );
    const archive = run('ansible-galaxy', 'collection', 'build', COLLECTION, '--output-path', at('built'));
    expect(archive).toMatchObject({ status: 0 });
    const [file = ''] = readdirSync(at('built'));
    const placed = run(
      'ansible-galaxy',
      'collection',
      'install',
      '--offline',
      at('built', file),
      '-p',
      at('collections'),
    );
    expect(placed).toMatchObject({ status: 0 });
  }, LONG);
  afterAll(() => machines?.remove());

  test('every file is sound YAML', () => {
    expect(yamlFiles.length).toBeGreaterThan(7);
    const check = 'import sys, yaml; assert all(yaml.safe_load(open(name)) is not None for name in sys.argv[1:])';
    const files = yamlFiles.map((name) => path.join(COLLECTION, name));
    expect(run('python3', '-c', check, ...files)).toMatchObject({ status: 0, err: '' });
  });

  test('ansible-doc renders the modules, and their examples and results', () => {
    const names = MODULES.map((name) => `kpatch_pm.livepatch.${name}`);
    const shown = run('ansible-doc', '--json', ...names);
    expect(shown).toMatchObject({ status: 0, err: '' });
    for (const name of names) {
      const { doc, examples, return: returned } = JSON.parse(shown.out)[name];
      const source = readFileSync(path.join(COLLECTION, 'plugins/modules', `${name.split('.').at(-1)}.py`), 'utf8');
      // What the program takes is what the page describes.
      const taken = [...source.matchAll(/^ {8}(\w+)=dict\(type=/gm)].map(([, option]) => option);
      expect(Object.keys(doc.options)).toEqual(expect.arrayContaining([...taken, 'command', 'installroot']));
      expect(examples).toContain(`${name}:`);
      expect(Object.keys(returned).length).toBeGreaterThan(1);
    }
    expect(run('ansible-doc', ...names).out.match(/EXAMPLES:/g)).toHaveLength(3);
  });

  test('the role in check mode changes nothing; then it configures, trusts and pins; then it has nothing to do', () => {
    const before = contents('canary1');
    const checked = play(at('site.yml'), '--check', '--diff', '--limit', 'canary1');
    expect(checked).toMatchObject({ status: 0 });
    expect(checked.out).toContain(`+key ${KEY}`);
    expect(checked.out).toContain('+lock_timeout = 60');
    expect(contents('canary1')).toEqual(before);
    const first = play(at('site.yml'), '--limit', 'all:!gone');
    expect(first).toMatchObject({ status: 0 });
    expect(recap(first.out, 'canary1')).toMatchObject({ failed: 0, changed: recap(checked.out, 'canary1').changed });
    expect(readFileSync(path.join(rootOf('canary1'), 'etc/kpatch-pm/conf.d/50-ansible.conf'), 'utf8')).toContain(
      'lock_timeout = 60',
    );
    const again = play(at('site.yml'), '--limit', 'canary1,web4');
    for (const name of ['canary1', 'web4']) expect(recap(again.out, name)).toMatchObject({ failed: 0, changed: 0 });
  });

  test('a rollout in check mode touches no machine', () => {
    const before = NAMES.map(contents);
    const checked = rollout('--check', '-e', 'livepatch_hosts=canary1,web4');
    expect(checked).toMatchObject({ status: 0 });
    expect(NAMES.map(contents)).toEqual(before);
    expect(outcomes('livepatch-report.check')).toEqual({ canary1: 'changed', web4: 'changed' });
    expect(existsSync(at('livepatch-report'))).toBe(false);
  });

  test('machines fail, each in its way: their wave ends, the next is untouched, the report says so, the rollout is held', () => {
    // The kernel of web3 complains as soon as something is installed.
    const complains = at('complaining');
    const record = '2,5,5,-;livepatch: failed to initialize patch';
    const script = `case " $* " in *" install "*) echo '${record}' >>${rootOf('web3')}/kmsg;; esac`;
    writeFileSync(complains, `#!/bin/sh\n${script}\nexec ${at('kpatch-pm')} "$@"\n`, { mode: 0o755 });
    mkdirSync(at('host_vars'));
    writeFileSync(at('host_vars/web3.yml'), `livepatch_command: ${complains}\n`);
    const before = contents('web4');
    const failed = rollout();
    rmSync(at('host_vars'), { recursive: true });
    expect(failed.status).not.toBe(0);
    expect(outcomes()).toEqual({
      canary1: 'changed',
      web2: expect.stringMatching(/^failed: .*(?:checksum|size|bytes)/),
      web3: expect.stringContaining("failed: the kernel's log: livepatch: failed to initialize patch"),
      gone: 'failed: the machine cannot be reached',
      web4: 'untouched',
    });
    expect(Object.keys(outcomes())).toEqual(IN_ORDER);
    expect(NAMES.map((name) => installed(name).length)).toEqual([1, 0, 1, 0]);
    expect(contents('web4')).toEqual(before);
    expect(failed.out).toContain('The rollout is stopped and held');
    const held = readFileSync(at('livepatch.hold'), 'utf8').trim().split('\n');
    expect(held.map((line) => line.split(':')[0]).sort()).toEqual(['gone', 'web2', 'web3']);
    // What `kpatch-pm report` makes of the machines' own answers.
    const page = readFileSync(at('livepatch-report/report.html'), 'utf8');
    expect(page).toContain('ready-at-boot');
    expect(page).toContain('not-installed');
    // By the names of the inventory: nobody knows machine ids by heart.
    expect(page).toContain('machine">web4<small>');
    const status = JSON.parse(readFileSync(at('livepatch-report/status-web4.json'), 'utf8'));
    expect(status.kernels[0]).toMatchObject({ release: KERNELS.K1, verdict: 'not-installed', installed: [] });
  });

  test('a held rollout does not begin', () => {
    const before = NAMES.map(contents);
    const refused = rollout();
    expect(refused.status).not.toBe(0);
    expect(refused.out).toContain('An earlier rollout stopped: ');
    expect(refused.out).not.toContain('Bring the live patches');
    expect(NAMES.map(contents)).toEqual(before);
    // Looking what would be if it were lifted does not lift it, nor touch the report of what happened.
    const [hold, report] = ['livepatch.hold', 'livepatch-report/rollout.txt'].map((file) =>
      readFileSync(at(file), 'utf8'),
    );
    rollout('--check', '-e', 'livepatch_release=true', '-e', 'livepatch_hosts=canary1');
    expect(readFileSync(at('livepatch.hold'), 'utf8')).toBe(hold);
    expect(readFileSync(at('livepatch-report/rollout.txt'), 'utf8')).toBe(report);
  });

  test('when all is mended the rollout goes to its end', () => {
    rmSync(path.join(rootOf('web2'), 'srv'), { recursive: true });
    serve('web2', false);
    const { status, out } = rollout('-e', 'livepatch_release=true', '-e', 'livepatch_hosts=all,!gone');
    if (status !== 0) throw new Error(out);
    expect(outcomes()).toEqual({
      canary1: 'as it was',
      web2: 'changed',
      web3: 'as it was',
      web4: 'changed',
    });
    expect(NAMES.map((name) => installed(name).length)).toEqual([1, 1, 1, 1]);
    expect(existsSync(at('livepatch.hold'))).toBe(false);
  });

  test('check mode and diff tell what then happens', () => {
    const removal = at('removal.yml');
    writeFileSync(removal, tasks([{ livepatch: "state: absent, name: ['kpatch-patch-5_14_0-427_13_1']" }]));
    const before = contents('canary1');
    const checked = play(removal, '--check', '--diff');
    expect(recap(checked.out, 'canary1')).toMatchObject({ changed: 1, failed: 0 });
    expect(checked.out).toContain(`-${KERNELS.K1}: ${LEVEL}`);
    expect(checked.out).toContain(`+${KERNELS.K1}: -`);
    expect(contents('canary1')).toEqual(before);
    const removed = play(removal, '--diff');
    expect(recap(removed.out, 'canary1')).toMatchObject({ changed: 1, failed: 0 });
    const diff = (out: string): string[] => out.split('\n').filter((line) => /^[-+ ][^-+]/.test(line));
    expect(diff(removed.out)).toEqual(diff(checked.out));
    expect(installed('canary1')).toEqual([]);
  });

  test('what is so already is not changed; what cannot be is refused, with the words of the program', () => {
    const file = at('states.yml');
    const crashed = {
      module: 'm',
      kernel: KERNELS.K1,
      file: 'm.ko',
      sha256: '00',
      package: null,
      since: '',
      why: 'it fell',
    };
    const quarantine = path.join(rootOf('canary1'), 'var/lib/kpatch-pm/quarantine.json');
    writeFileSync(quarantine, JSON.stringify({ format: 1, modules: [crashed] }));
    const name = "name: ['kpatch-patch-5_14_0-427_13_1']";
    writeFileSync(
      file,
      tasks([
        { livepatch: `state: absent, ${name}`, expect: 'it is not changed and it is not failed and it is not skipped' },
        { livepatch: `state: present, ${name}`, expect: 'it is changed' },
        {
          livepatch: `state: present, ${name}`,
          expect: 'it is not changed and it is not failed and it is not skipped',
        },
        {
          livepatch: `state: latest`,
          expect: 'it is not changed and it is not failed and it is not skipped and it.skipped_kernels | length == 1',
        },
        { livepatch: 'state: unchanged, filter: auto-filter', expect: 'it is changed' },
        {
          livepatch: 'state: unchanged, filter: auto-filter',
          expect: 'it is not changed and it is not failed and it is not skipped',
        },
        {
          livepatch: "state: latest, name: ['kpatch-patch-of-nobody']",
          expect: 'it is failed and "Unable to find a match: kpatch-patch-of-nobody" in it.msg',
        },
        {
          livepatch_key: `fingerprints: ['${'A'.repeat(40)}'], path: '${FIXTURES}/keys/RPM-GPG-KEY-other-vendor'`,
          expect: 'it is failed and "nothing was imported" in it.msg',
        },
        { livepatch_info: '', expect: 'not it.healthy and "m is in quarantine: it fell" in it.reasons' },
        {
          livepatch_key: `fingerprints: ['${KEY}'], state: absent`,
          expect: `it is changed and "${KEY}" not in it["keys"]`,
        },
        {
          livepatch_key: `fingerprints: ['${KEY}'], state: absent`,
          expect: 'it is not changed and it is not failed and it is not skipped',
        },
      ]),
    );
    const { status, out } = play(file);
    // The whole story where it fails: the task before the assertion that does not hold.
    if (status !== 0) throw new Error(out);
  });
});

/** A play for canary1: each task, then what must be true of its result. */
function tasks(list: readonly Record<string, string>[]): string {
  const lines = list.flatMap(({ expect: wanted, ...task }) => {
    const [[name, options] = ['', '']] = Object.entries(task);
    const call = `{command: '{{ livepatch_command }}', installroot: '{{ livepatch_installroot }}', ${options}}`;
    const run = `    - kpatch_pm.livepatch.${name}: ${call}\n`;
    if (wanted === undefined) return [run];
    return [
      `${run}      register: it\n      ignore_errors: true\n`,
      `    - ansible.builtin.assert: {that: [${JSON.stringify(wanted)}], fail_msg: '{{ it | to_json }}'}\n`,
    ];
  });
  return `- hosts: canary1\n  gather_facts: false\n  tasks:\n${lines.join('')}`;
}
