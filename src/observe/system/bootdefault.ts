// Which kernel the boot loader starts next, where that is cheap to know: GRUB's environment block and the entries of the
// Boot Loader Specification. Anything else is "not known". Source: grub2-editenv(1), the Boot Loader Specification.
import { rpmvercmp } from '../../domain/evr.ts';
import { hasErrno, KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';

const ENVIRONMENTS = ['boot/grub2/grubenv', 'boot/grub/grubenv'];
const ENTRIES = 'boot/loader/entries';

/** A text; null also where this user may not read it: /boot is often root's alone. */
function readable<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof KpmError && hasErrno(error.cause, 'EACCES', 'EPERM')) return null;
    throw error;
  }
}

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly release: string | null;
}

function readEntry(root: Root, file: string): Entry {
  const text = root.readText(`${ENTRIES}/${file}`, 64 * 1024) ?? '';
  const field = (name: string): string | null =>
    new RegExp(`^${name}[ \\t]+(.*)$`, 'm').exec(text)?.[1]?.trim() ?? null;
  const linux =
    field('linux')
      ?.split(' ')[0]
      ?.replace(/^.*\/(?:vmlinuz|vmlinux|linux)-/, '') ?? null;
  return { id: file.slice(0, -'.conf'.length), title: field('title') ?? '', release: field('version') ?? linux };
}

/** The entries in the order GRUB shows them: by file name, highest version first. */
function entries(root: Root): Entry[] {
  const files = readable(() => root.list(ENTRIES)) ?? [];
  return files
    .filter((file) => file.endsWith('.conf'))
    .sort((a, b) => rpmvercmp(b, a))
    .flatMap((file) => readable(() => readEntry(root, file)) ?? []);
}

/** The release that boots next, one of `releases`; null when that cannot be told. */
export function defaultBoot<T extends string>(root: Root, releases: readonly T[]): T | null {
  const environment = ENVIRONMENTS.map((file) => readable(() => root.readText(file, 64 * 1024))).find((text) => text);
  const value = (name: string): string | null =>
    new RegExp(`^${name}=(.+)$`, 'm').exec(environment ?? '')?.[1]?.trim() || null;
  // next_entry is for one boot and goes before the saved one.
  const chosen = value('next_entry') ?? value('saved_entry');
  if (chosen === null) return null;
  const list = entries(root);
  const entry = /^\d+$/.test(chosen)
    ? list[Number(chosen)]
    : (list.find(({ id }) => id === chosen) ?? list.find(({ title }) => title === chosen));
  const release = entry?.release ?? null;
  if (release !== null) return releases.find((one) => one === release) ?? null;
  // Without entries (el7) the environment holds a title: "... Server (3.10.0-1160.el7.x86_64) 7.9".
  const named = /\(([^()]+)\)/.exec(chosen)?.[1];
  return list.length === 0 ? (releases.find((one) => one === named) ?? null) : null;
}
