// Machines that are reached by ssh: each an sshd of its own on an address and port of the loopback, with a root of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

export interface SshHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Directory that plays its system. */
  readonly root: string;
}

export interface SshHosts {
  readonly scratch: string;
  readonly hosts: readonly SshHost[];
  /** Private key that every machine lets in. */
  readonly key: string;
  remove(): Promise<void>;
}

const SSHD = ['/usr/sbin/sshd', '/usr/bin/sshd'].find((file) => existsSync(file)) ?? 'sshd';

function keygen(file: string): void {
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
}

/** A port of this address that was free a moment ago. */
function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const found = server.address();
      server.close(() => resolve(typeof found === 'object' && found !== null ? found.port : 0));
    });
  });
}

async function answers(address: string, port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, address, () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => undefined);
      setTimeout(() => socket.destroy(), 50);
    });
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no sshd answers on ${address}:${port}`);
}

/** Starts an sshd for every name; each has an empty directory as its root. */
export async function sshHosts(names: readonly string[]): Promise<SshHosts> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-hosts-'));
  const key = path.join(scratch, 'id');
  keygen(key);
  // Where sshd runs as root it wants this directory, which a service manager would make.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const running = new Map<string, ChildProcess>();
  const hosts: SshHost[] = [];
  for (const [n, name] of names.entries()) {
    const root = path.join(scratch, name);
    const own = path.join(scratch, `${name}.ssh`);
    mkdirSync(root);
    mkdirSync(own, { mode: 0o700 });
    keygen(path.join(own, 'host'));
    const address = `127.0.0.${n + 2}`;
    const port = await freePort(address);
    const lines = [
      `Port ${port}`,
      `ListenAddress ${address}`,
      `HostKey ${own}/host`,
      `AuthorizedKeysFile ${key}.pub`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'MaxStartups 100',
      'PrintMotd no',
    ];
    writeFileSync(path.join(own, 'sshd_config'), `${lines.join('\n')}\n`);
    hosts.push({ name, address, port, root });
  }
  const start = async (name: string): Promise<void> => {
    const host = hosts.find((one) => one.name === name) as SshHost;
    // -D: it stays in the foreground, so that it ends with us.
    const child = spawn(SSHD, ['-D', '-e', '-f', path.join(scratch, `${name}.ssh`, 'sshd_config')], {
      stdio: 'ignore',
    });
    running.set(name, child);
    await answers(host.address, host.port);
  };
  const stop = async (name: string): Promise<void> => {
    const child = running.get(name);
    running.delete(name);
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  for (const name of names) await start(name);
  return {
    scratch,
    hosts,
    key,
    async remove() {
      for (const name of names) await stop(name);
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
