// What the running system says about this process: container or not, who sits before it.
import fs from 'node:fs';
import { hasErrno, KpmError } from '../errors.ts';
import type { Root } from './root.ts';

/** Marks that container managers and systemd leave. Source: systemd's Container Interface, podman-run(1), Docker. */
const MARKS = ['run/systemd/container', 'run/.containerenv', '.dockerenv'];

/**
 * Whether this process lives in a container or a chroot: then kernel, sysfs and service manager are somebody else's.
 * Nothing is started for the answer; the order is that of systemd-detect-virt(1).
 */
export function isContained(host: Root): boolean {
  if (MARKS.some((mark) => quietly(() => host.lstat(mark)) !== null)) return true;
  // Managers say it to process 1 (systemd's Container Interface); only root may read that.
  const environment = quietly(() => host.readText('proc/1/environ', 1024 * 1024)) ?? '';
  if (environment.split('\0').some((entry) => /^container=./.test(entry))) return true;
  return (
    (host.isHost && inChroot()) || !mountsRoot(quietly(() => host.readText('proc/self/mountinfo', 16 * 1024 * 1024)))
  );
}

/**
 * Whether this process's root is a mount, as that of a system or of a container always is; a chroot seldom is one, and mounts
 * outside of it are not listed. For who may not look at process 1: even root, without CAP_SYS_PTRACE. Source:
 * proc_pid_mountinfo(5), field 5.
 */
function mountsRoot(mountinfo: string | null): boolean {
  return !mountinfo || mountinfo.split('\n').some((line) => line.split(' ')[4] === '/');
}

/** Whether process 1 has another root. /proc/1/root is no ordinary link: only the kernel can follow it. */
function inChroot(): boolean {
  try {
    const [here, first] = [fs.statSync('/'), fs.statSync('/proc/1/root/')];
    return here.ino !== first.ino || here.dev !== first.dev;
  } catch (error) {
    // Only root may look (and only root gets into a chroot); no /proc tells nothing.
    if (hasErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/**
 * The user who logged in, whatever sudo and su made of him since; for receipts and history, never for permission.
 * Source: pam_loginuid(8), sudo(8) ENVIRONMENT, passwd(5).
 */
export function loginUser(host: Root, env: Readonly<Record<string, string | undefined>>, uid: number): string {
  const login = quietly(() => host.readText('proc/self/loginuid'))?.trim() ?? '';
  // 4294967295: nobody logged in (a service, or a container).
  const known = /^\d+$/.test(login) && login !== '4294967295';
  const sudo = uid === 0 && /^\d+$/.test(env.SUDO_UID ?? '') ? env.SUDO_UID : undefined;
  const id = known ? login : (sudo ?? String(uid));
  const names = (quietly(() => host.readText('etc/passwd')) ?? '').split('\n').map((line) => line.split(':'));
  const name = names.find((fields) => fields[2] === id)?.[0];
  // Users of a directory service stand in no file; a name is kept only if it cannot garble a terminal or a log.
  return name !== undefined && /^[\x21-\x7e]{1,64}$/.test(name) ? name : `uid ${id}`;
}

/** Null where the system does not let us look. */
function quietly<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}
