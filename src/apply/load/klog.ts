// The tail of the kernel log: what the kernel said while a module was inserted.
import { hasErrno, KpmError } from '../../errors.ts';
import type { Run } from '../../host/run.ts';

/** Remembers where the log stood, so that only what came later is read. */
export interface LogMark {
  readonly last: string | null;
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
    if (error instanceof KpmError && error.code === 'program-failed') return null;
    if (hasErrno(error, 'EACCES')) return null;
    throw error;
  }
}

/** Call before an insert. */
export async function markLog(run: Run): Promise<LogMark> {
  return { last: (await lines(run))?.at(-1) ?? null };
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
