// A declared package as the text of a spec file for rpmbuild.
import path from 'node:path';
import type { FileSource, PackageSource } from './source.ts';

const octal = (mode: number) => (mode & 0o7777).toString(8).padStart(4, '0');

/** How %files names one entry; rpmbuild reads the contents from the build root. */
function fileLine(file: FileSource): string {
  if (file.kind === 'symlink') return file.path;
  const mode = `%attr(${octal(file.mode ?? (file.kind === 'directory' ? 0o755 : 0o644))}, root, root)`;
  if (file.kind === 'directory') return `${mode} %dir ${file.path}`;
  if (file.kind === 'ghost') return `${mode} %ghost ${file.path}`;
  return `${mode} ${file.path}`;
}

/** The shell lines of %install that put a file into the build root; contents lie beside as source files `fN`. */
function installLines(file: FileSource, index: number): string[] {
  const to = `%{buildroot}${file.path}`;
  const parent = `mkdir -p '%{buildroot}${path.posix.dirname(file.path)}'`;
  switch (file.kind ?? 'file') {
    case 'directory':
      return [`mkdir -p '${to}'`];
    case 'symlink':
      return [parent, `ln -s '${file.content}' '${to}'`];
    case 'hardlink':
      return [parent, `ln '%{buildroot}${file.content}' '${to}'`];
    case 'fifo':
      return [parent, `mkfifo '${to}'`];
    default:
      return [parent, `cp '%{_sourcedir}/f${index}' '${to}'`];
  }
}

/** ISO date -> `Thu Feb 22 2024`, as %changelog wants it. */
function specDate(iso: string): string {
  const [weekday, day, month, year] = new Date(`${iso}T12:00:00Z`).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${year}`;
}

/** The whole spec. Debug packages, post-processing and dependency generators are off: what is declared is what is built. */
export function specText(source: PackageSource): string {
  const files = source.files ?? [];
  const lines = [
    '%global debug_package %{nil}',
    '%global __os_install_post %{nil}',
    '%global __brp_check_rpaths %{nil}',
    '%global _build_id_links none',
    `Name: ${source.name}`,
    ...(source.epoch === undefined ? [] : [`Epoch: ${source.epoch}`]),
    `Version: ${source.version}`,
    `Release: ${source.release}`,
    `Summary: ${source.summary}`,
    'License: MIT',
    'Vendor: kpatch-pm fixtures',
    'Group: System Environment/Kernel',
    'AutoReqProv: no',
    ...(source.arch === 'noarch' ? ['BuildArch: noarch'] : []),
    ...(source.provides ?? []).map((entry) => `Provides: ${entry}`),
    ...(source.requires ?? []).map((entry) => `Requires: ${entry}`),
    ...(source.conflicts ?? []).map((entry) => `Conflicts: ${entry}`),
    ...(source.obsoletes ?? []).map((entry) => `Obsoletes: ${entry}`),
    '%description',
    source.description ?? source.summary,
    '%prep',
    '%build',
    '%install',
    "mkdir -p '%{buildroot}'",
    ...files.flatMap(installLines),
    ...Object.entries(source.scripts ?? {}).flatMap(([name, text]) => [`%${name}`, text.trimEnd()]),
    '%files',
    ...files.map(fileLine),
    '%changelog',
    ...(source.changelog ?? []).flatMap((entry) => [
      `* ${specDate(entry.date)} Fixture Builder <builder@fixtures.invalid> [${entry.evr}]`,
      ...entry.lines.map((line) => `- ${line}`),
      '',
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
