// The spec file of a package of one's own. What the scriptlets do is what the vendor's do (they are for dnf and rpm: kpatch-pm
// runs none); the words are ours. Source: the vendor's spec files; rpm's spec file format.
import type { OwnPackage } from '../../decide/publish.ts';

export interface Change {
  /** Seconds since 1970. */
  readonly time: number;
  /** `Name <mail> [1-3.el9_3]`. */
  readonly author: string;
  readonly text: string;
}

export interface SpecParts {
  readonly pkg: OwnPackage;
  /** File whose bytes become the module; null for an empty package. */
  readonly source: string | null;
  /** Who is named as packager: `Name <mail>`. */
  readonly packager: string;
  /** Newest first. */
  readonly changes: readonly Change[];
}

/** One line of text in which rpm expands nothing. */
export function plain(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .replaceAll('%', '%%');
}

/** The same where it stands on a line of its own: there a percent sign begins a section, a star the next entry, however it is escaped. */
function lineOf(text: string): string {
  const line = plain(text);
  return /^[%*#]/.test(line) ? `- ${line}` : line;
}

/** `Thu Feb 22 2024`. */
function specDate(time: number): string {
  const [weekday, day, month, year] = new Date(time * 1000).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${year}`;
}

/** The whole text. Nothing is stripped, compressed or generated: the module goes in as it is. */
export function specText({ pkg, source, packager, changes }: SpecParts): string {
  const { nevra, module } = pkg;
  const lines = [
    '%global debug_package %{nil}',
    '%global __os_install_post %{nil}',
    '%global _build_id_links none',
    '%undefine _auto_set_build_flags',
    `Name: ${nevra.name}`,
    `Version: ${nevra.version}`,
    `Release: ${nevra.release}`,
    `Summary: ${plain(pkg.summary)}`,
    'License: GPLv2',
    `Packager: ${plain(packager)}`,
    'Group: System Environment/Kernel',
    `ExclusiveArch: ${nevra.arch}`,
    'AutoReqProv: no',
    ...pkg.dependencies,
    '%description',
    lineOf(pkg.description),
    '%prep',
    '%build',
    '%install',
    "mkdir -p '%{buildroot}'",
    ...(module && source ? [`install -D -m 0755 '${source}' '%{buildroot}${module.path}'`] : []),
    ...(module ? scriptlets(pkg, module.path) : []),
    '%files',
    // The directories are the package's too, as in the vendor's.
    ...(module ? ['%defattr(-,root,root,-)', '%dir /usr/lib/kpatch', `%dir /usr/lib/kpatch/${pkg.kernel}`] : []),
    ...(module ? [`%attr(0755,root,root) ${module.path}`] : []),
    '%changelog',
    ...changes.flatMap(({ time, author, text }) => [
      `* ${specDate(time)} ${plain(author)}`,
      ...text
        .split('\n')
        .map((line) => lineOf(line))
        .filter((line) => line !== ''),
      '',
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** `kpatch_5_14_0_427_13_1_1_3` -> `kpatch_5_14_0_427_13_1`: what all levels have in common. */
function scriptlets({ kernel, module, nevra }: OwnPackage, path: string): string[] {
  const file = path.split('/').at(-1) as string;
  const name = module?.name ?? '';
  const stream = `kpatch-${nevra.name.slice('kpatch-patch-'.length)}`.replace(/[-.]/g, '_');
  return [
    '%post',
    `kernel='${kernel}'`,
    `file='${file}'`,
    `module='${name}'`,
    `stream='${stream}'`,
    `kpatch install -k "$kernel" '${path}'`,
    // The copy must bear the label that modules need to be loaded.
    'chcon -t modules_object_t "/var/lib/kpatch/$kernel/$file" 2> /dev/null',
    'sync',
    'if [ "$(uname -r)" = "$kernel" ] && [ "$LEAPP_IPU_IN_PROGRESS" != 8to9 ]; then',
    '  active="$(kpatch list | sed -n "s/^\\($stream[_0-9]*\\) \\[enabled\\].*/\\1/p" | sort -V | tail -n 1)"',
    '  newest="$(printf "%%s\\n%%s\\n" "$module" "$active" | sort -V | tail -n 1)"',
    '  if [ -n "$active" ] && [ "$active" != "$module" ] && [ "$newest" = "$active" ]; then',
    '    echo "WARNING: $active is active in the running kernel and newer than $module."',
    '    echo "WARNING: The older level takes effect when this kernel is booted again."',
    '  else',
    `    kpatch load '${path}'`,
    '  fi',
    'fi',
    'exit 0',
    '%postun',
    `kpatch uninstall -k '${kernel}' '${file}'`,
    'sync',
    'exit 0',
  ];
}
