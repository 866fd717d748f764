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
const NAMES = ['canary1', 'web1', 'web2', 'web3', 'web4'];
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
    play('kpatch_pm.livepatch.rollout', '-e', '{"livepatch_waves": [1, 2, "100%"]}', ...args);
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
  const outcomes = (): Record<string, string> =>
    Object.fromEntries(
      readFileSync(at('livepatch-report/rollout.txt'), 'utf8')
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
        ['kmsg', '6,1,1,-;Linux version\n'],
      ] as const) {
        mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
        writeFileSync(path.join(root, file), text);
      }
      serve(name, name === 'web3');
      const vars = `{ansible_host: ${address}, ansible_port: ${port}, livepatch_installroot: ${root}, livepatch_kernel_log: ${root}/kmsg}`;
      return `        ${name}: ${vars}`;
    });
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
${hosts.join('\n')}
`,
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
  });
  afterAll(() => machines?.remove());

  test.each(yamlFiles)('%s is sound YAML', (name) => {
    const check = 'import sys, yaml; assert yaml.safe_load(open(sys.argv[1])) is not None';
    expect(run('python3', '-c', check, path.join(COLLECTION, name))).toMatchObject({ status: 0, err: '' });
  });

  test.each(MODULES)('ansible-doc renders %s, and every option is described', (name) => {
    const shown = run('ansible-doc', '--json', `kpatch_pm.livepatch.${name}`);
    expect(shown).toMatchObject({ status: 0, err: '' });
    const { doc, examples, return: returned } = JSON.parse(shown.out)[`kpatch_pm.livepatch.${name}`];
    const source = readFileSync(path.join(COLLECTION, 'plugins/modules', `${name}.py`), 'utf8');
    expect(Object.keys(doc.options).length).toBeGreaterThan(4);
    for (const option of Object.keys(doc.options)) expect(source).toContain(option);
    expect(examples).toContain(`kpatch_pm.livepatch.${name}:`);
    expect(Object.keys(returned).length).toBeGreaterThan(1);
    expect(run('ansible-doc', `kpatch_pm.livepatch.${name}`).out).toContain('EXAMPLES:');
  });

  test('the role in check mode changes nothing; then it configures, trusts and pins; then it has nothing to do', () => {
    const before = contents('web1');
    const checked = play(at('site.yml'), '--check', '--diff');
    expect(checked).toMatchObject({ status: 0 });
    expect(checked.out).toContain(`+key ${KEY}`);
    expect(checked.out).toContain('+lock_timeout = 60');
    expect(contents('web1')).toEqual(before);
    const first = play(at('site.yml'));
    expect(first).toMatchObject({ status: 0 });
    expect(recap(first.out, 'web1')).toMatchObject({ failed: 0, changed: recap(checked.out, 'web1').changed });
    expect(readFileSync(path.join(rootOf('web1'), 'etc/kpatch-pm/conf.d/50-ansible.conf'), 'utf8')).toContain(
      'lock_timeout = 60',
    );
    const again = play(at('site.yml'));
    for (const name of NAMES) expect([name, recap(again.out, name)]).toMatchObject([name, { failed: 0, changed: 0 }]);
  });

  test('a rollout in check mode touches no machine', () => {
    const before = NAMES.map(contents);
    const checked = rollout('--check');
    expect(checked).toMatchObject({ status: 0 });
    expect(NAMES.map(contents)).toEqual(before);
    expect(outcomes()).toEqual(Object.fromEntries(NAMES.map((name) => [name, 'changed'])));
  });

  test('one machine fails: its wave ends, the next is untouched, the report says so, and the rollout is held', () => {
    const before = contents('web4');
    const failed = rollout();
    expect(failed.status).not.toBe(0);
    expect(outcomes()).toMatchObject({ canary1: 'changed', web1: 'changed', web2: 'changed', web4: 'untouched' });
    expect(outcomes().web3).toMatch(/^failed: .*(?:checksum|size|bytes)/);
    expect(NAMES.map((name) => installed(name).length)).toEqual([1, 1, 1, 0, 0]);
    expect(contents('web4')).toEqual(before);
    expect(failed.out).toContain('The rollout is stopped and held');
    expect(readFileSync(at('livepatch.hold'), 'utf8')).toMatch(/^web3: /);
    // What `kpatch-pm report` makes of the machines' own answers.
    const page = readFileSync(at('livepatch-report/report.html'), 'utf8');
    expect(page).toContain('ready-at-boot');
    expect(page).toContain('not-installed');
    const status = JSON.parse(readFileSync(at('livepatch-report/status-web4.json'), 'utf8'));
    expect(status.kernels[0]).toMatchObject({ release: KERNELS.K1, verdict: 'not-installed' });
  });

  test('a held rollout does not begin', () => {
    const before = NAMES.map(contents);
    const refused = rollout();
    expect(refused.status).not.toBe(0);
    expect(refused.out).toContain('An earlier rollout stopped: web3: ');
    expect(NAMES.map(contents)).toEqual(before);
  });

  test('trouble in the kernel log of a machine after its patches came stops the next wave too', () => {
    rmSync(path.join(rootOf('web3'), 'srv'), { recursive: true });
    serve('web3', false);
    // Its kernel complains as soon as something is installed.
    const complains = at('complaining');
    const record = '2,900,5,-;livepatch: failed to initialize patch';
    writeFileSync(
      complains,
      `#!/bin/sh\ncase " $* " in *" install "*) echo '${record}' >>${rootOf('web3')}/kmsg;; esac\nexec ${at('kpatch-pm')} "$@"\n`,
      { mode: 0o755 },
    );
    const before = contents('web4');
    // Only web3 has that program: a file of variables of its own.
    mkdirSync(at('host_vars'));
    writeFileSync(at('host_vars/web3.yml'), `livepatch_command: ${complains}\n`);
    const stopped = rollout('-e', 'livepatch_release=true');
    expect(stopped.status).not.toBe(0);
    expect(outcomes()).toMatchObject({ canary1: 'as it was', web1: 'as it was', web2: 'as it was', web4: 'untouched' });
    expect(outcomes().web3).toContain("the kernel's log: livepatch: failed to initialize patch");
    expect(contents('web4')).toEqual(before);
    rmSync(at('host_vars'), { recursive: true });
  });

  test('a machine that cannot be reached stops it as well, and the report is made all the same', async () => {
    await machines.stop('web2');
    run('sh', '-c', `pkill -f ControlPath-of-no-one; rm -rf ${at('cp')}`);
    const stopped = rollout('-e', 'livepatch_release=true');
    expect(stopped.status).not.toBe(0);
    expect(outcomes()).toMatchObject({ web2: 'failed: the machine cannot be reached', web4: 'untouched' });
    expect(installed('web4')).toEqual([]);
    await machines.start('web2');
  });

  test('when all is mended the rollout goes to its end', () => {
    const done = rollout('-e', 'livepatch_release=true');
    expect(done).toMatchObject({ status: 0 });
    expect(outcomes()).toEqual({
      canary1: 'as it was',
      web1: 'as it was',
      web2: 'as it was',
      web3: 'as it was',
      web4: 'changed',
    });
    expect(NAMES.map((name) => installed(name).length)).toEqual([1, 1, 1, 1, 1]);
    expect(existsSync(at('livepatch.hold'))).toBe(false);
  });

  test('modules say what they change: taking away, in check mode, for true, and again', () => {
    const tasks = (name: string) => `- hosts: web1
  gather_facts: false
  tasks:
    - kpatch_pm.livepatch.livepatch: {command: '{{ livepatch_command }}', installroot: '{{ livepatch_installroot }}', ${name}}
`;
    const removal = at('removal.yml');
    writeFileSync(removal, tasks("state: absent, name: ['kpatch-patch-5_14_0-427_13_1']"));
    const before = contents('web1');
    const checked = play(removal, '--check', '--diff');
    expect(recap(checked.out, 'web1')).toMatchObject({ changed: 1, failed: 0 });
    expect(checked.out).toContain(`-${KERNELS.K1}: ${LEVEL}`);
    expect(checked.out).toContain(`+${KERNELS.K1}: -`);
    expect(contents('web1')).toEqual(before);
    const removed = play(removal, '--diff');
    expect(recap(removed.out, 'web1')).toMatchObject({ changed: 1, failed: 0 });
    // What check mode said is what happened.
    const diff = (out: string): string[] => out.split('\n').filter((line) => /^[-+ ][^-+]/.test(line));
    expect(diff(removed.out)).toEqual(diff(checked.out));
    expect(installed('web1')).toEqual([]);
    expect(recap(play(removal).out, 'web1')).toMatchObject({ changed: 0, failed: 0 });
    const present = at('present.yml');
    writeFileSync(present, tasks("state: present, name: ['kpatch-patch-5_14_0-427_13_1']"));
    expect(recap(play(present).out, 'web1')).toMatchObject({ changed: 1, failed: 0 });
    expect(recap(play(present).out, 'web1')).toMatchObject({ changed: 0, failed: 0 });
    writeFileSync(present, tasks("state: latest, name: ['kpatch-patch-of-nobody']"));
    const unknown = play(present);
    expect(unknown.status).not.toBe(0);
    expect(unknown.out).toContain('Unable to find a match: kpatch-patch-of-nobody');
  });

  test('a key file that holds another key than was named is refused', () => {
    const file = at('key.yml');
    writeFileSync(
      file,
      `- hosts: web1
  gather_facts: false
  tasks:
    - kpatch_pm.livepatch.livepatch_key: {command: '{{ livepatch_command }}', installroot: '{{ livepatch_installroot }}', fingerprints: ['${'A'.repeat(40)}'], path: '${FIXTURES}/keys/RPM-GPG-KEY-other-vendor'}
`,
    );
    const refused = play(file);
    expect(refused.status).not.toBe(0);
    expect(refused.out).toContain('nothing was imported');
    expect(recap(refused.out, 'web1')).toMatchObject({ changed: 0, failed: 1 });
  });
});
