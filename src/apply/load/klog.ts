// The tail of the kernel log: what the kernel said while a module was inserted.

import fs from 'node:fs';
import { hasErrno, KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';
import type { Run } from '../../host/run.ts';

/** Remembers where the log stood, so that only what came later is read. */
export interface LogMark {
  readonly last: string | null;
  readonly at: Date;
}

/** Lines of the kernel log, oldest first; null when it may not or cannot be read (no dmesg, dmesg_restrict). */
async function lines(run: Run): Promise<string[] | null> {
  if (run.which('dmesg') === null) return null;
  try {
    const result = await run.run('dmesg', [], { timeout: 20_000 });
    if (result.status !== 0) return null;
    return result.stdout
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if (error instanceof KpmError && ['program-failed', 'program-stuck'].includes(error.code)) return null;
    if (hasErrno(error, 'EACCES')) return null;
    throw error;
  }
}

/** Call before an insert. */
export async function markLog(run: Run, at: Date): Promise<LogMark> {
  return { last: (await lines(run))?.at(-1) ?? null, at };
}

/** What the kernel logged since the mark, without time stamps; at most the last 200 lines, empty when it cannot be read. */
export async function logSince(run: Run, mark: LogMark): Promise<string[]> {
  const all = (await lines(run)) ?? [];
  const from = mark.last === null ? -1 : all.lastIndexOf(mark.last);
  return all
    .slice(from + 1)
    .slice(-200)
    .map((line) => line.replace(/^\[\s*[\d.]+\]\s*/, ''));
}

const AUDIT_LOG = 'var/log/audit/audit.log';
const TAIL = 256 * 1024;

/**
 * Denials of SELinux since then. Where auditd runs they are in its log and not in the kernel's; none where there is no such
 * log or it may not be read. Source: auditd(8); each record begins `type=AVC msg=audit(SECONDS.MILLISECONDS:NUMBER):`.
 */
export function auditedSince(sys: Root, at: Date): string[] {
  let text: string;
  try {
    text = tailOf(sys);
  } catch (error) {
    if (error instanceof KpmError) return [];
    throw error;
  }
  return text.split('\n').filter((line) => {
    const [, seconds = '0'] = /^type=(?:AVC|USER_AVC|SELINUX_ERR) msg=audit\((\d+)\.\d+:/.exec(line) ?? [];
    return Number(seconds) * 1000 >= Math.floor(at.getTime() / 1000) * 1000;
  });
}

function tailOf(sys: Root): string {
  const fd = sys.openRead(AUDIT_LOG);
  if (fd === null) return '';
  try {
    const { size } = fs.fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, TAIL));
    const read = fs.readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, read);
  } finally {
    fs.closeSync(fd);
  }
}
