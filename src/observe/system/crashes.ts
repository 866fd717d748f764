// What a crash leaves behind: the firmware's log store, and crash dumps. Both may be absent; then nothing is known.
// Source: Documentation/ABI/testing/pstore, systemd-pstore(8) (moves the store to /var/lib/systemd/pstore),
// kdump.conf(5) (`path`, default /var/crash; a directory per dump with vmcore in it).
import type { CrashEvidence } from '../../domain/crashguard.ts';
import { KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';

/** First line of a record that a normal end of the system left (printk.always_kmsg_dump). */
const PEACEFUL = /^(Restart|Reboot|Shutdown|Halt|Poweroff)#/;

/** Every trace of a crash, the newest first. `host` is where /sys is, `root` where /var is. */
export function crashEvidence(root: Root, host: Root): CrashEvidence[] {
  const found: CrashEvidence[] = [];
  const add = (kind: CrashEvidence['kind'], where: Root, relative: string): void => {
    const stat = where.stat(relative);
    if (stat?.isFile()) found.push({ kind, path: where.show(relative), time: stat.mtime.toISOString() });
  };
  for (const record of logRecords(host, 'sys/fs/pstore', 0)) add('pstore', host, record);
  for (const record of logRecords(root, 'var/lib/systemd/pstore', 2)) add('pstore', root, record);
  const dumps = dumpDirectory(root);
  for (const name of listed(root, dumps)) {
    const inside = listed(root, `${dumps}/${name}`).map((file) => `${name}/${file}`);
    for (const file of [name, ...inside]) if (/(^|\/)vmcore[^/]*$/.test(file)) add('vmcore', root, `${dumps}/${file}`);
  }
  return found.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
}

function logRecords(where: Root, directory: string, depth: number): string[] {
  return listed(where, directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    if (/^dmesg[-.]/.test(name)) return PEACEFUL.test(firstLine(where, path)) ? [] : [path];
    return depth > 0 ? logRecords(where, path, depth - 1) : [];
  });
}

function dumpDirectory(root: Root): string {
  const conf = root.stat('etc/kdump.conf')?.isFile() ? (root.readText('etc/kdump.conf', 1024 * 1024) ?? '') : '';
  const path = /^\s*path\s+\/*(\S+)/m.exec(conf)?.[1];
  return path && !path.split('/').includes('..') ? path : 'var/crash';
}

/** Names in a directory; none where it is not one, or cannot be looked into. */
function listed(where: Root, directory: string): string[] {
  try {
    return where.stat(directory)?.isDirectory() ? where.list(directory) : [];
  } catch (error) {
    if (error instanceof KpmError) return [];
    throw error;
  }
}

function firstLine(where: Root, path: string): string {
  try {
    return where.readText(path, 16 * 1024 * 1024)?.split('\n')[0] ?? '';
  } catch (error) {
    // What cannot be read counts as what it is called.
    if (error instanceof KpmError) return '';
    throw error;
  }
}
