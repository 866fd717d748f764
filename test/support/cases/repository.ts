// Metadata of a made-up repository for planning cases: real repomd.xml and primary.xml, no packages behind them.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { kernelArch } from '../../../src/domain/kernel.ts';
import { type Nevra, parseNevra } from '../../../src/domain/nevra.ts';

/** One offer: `NEVRA for=KERNEL [size=N] [empty] [requires=NAME>=EVR] [obsoletes=NAME] [published=TIME] [built=TIME]`, or `NEVRA kernel`. */
export interface Offer {
  readonly nevra: string;
  readonly with: Readonly<Record<string, string>>;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

interface Dep {
  readonly name: string;
  readonly flags?: string;
  readonly evr?: string;
}

const FLAGS: Record<string, string> = { '=': 'EQ', '<': 'LT', '<=': 'LE', '>': 'GT', '>=': 'GE' };

function dependency(text: string): Dep {
  const parts = /^([^<>=]+)([<>=]+)(.+)$/.exec(text);
  return parts
    ? { name: parts[1] as string, flags: FLAGS[parts[2] as string] as string, evr: parts[3] as string }
    : { name: text };
}

function entries(tag: string, list: readonly Dep[]): string {
  if (list.length === 0) return '';
  const lines = list.map(({ name, flags, evr }) => {
    if (!flags || evr === undefined) return `      <rpm:entry name="${escaped(name)}"/>`;
    const [, epoch = '0', version = '', release] = /^(?:(\d+):)?(.+?)(?:-([^-]+))?$/.exec(evr) ?? [];
    const rel = release === undefined ? '' : ` rel="${escaped(release)}"`;
    return `      <rpm:entry name="${escaped(name)}" flags="${flags}" epoch="${epoch}" ver="${escaped(version)}"${rel}/>`;
  });
  return `    <rpm:${tag}>\n${lines.join('\n')}\n    </rpm:${tag}>\n`;
}

function dependencies(
  { nevra, with: given }: Offer,
  pkg: Nevra,
): { provides: Dep[]; requires: Dep[]; obsoletes: Dep[] } {
  const self: Dep = { name: pkg.name, flags: 'EQ', evr: `${pkg.epoch}:${pkg.version}-${pkg.release}` };
  const obsoletes = given.obsoletes === undefined ? [] : [dependency(given.obsoletes)];
  if (given.kernel !== undefined) {
    const uname: Dep = { name: 'kernel-uname-r', flags: 'EQ', evr: `${pkg.version}-${pkg.release}.${pkg.arch}` };
    return { provides: [self, uname], requires: [], obsoletes };
  }
  const kernel = given.for;
  if (kernel === undefined) throw new Error(`${nevra}: neither "kernel" nor "for=KERNEL"`);
  const bare = kernel.replace(new RegExp(`\\.${kernelArch(kernel)}$`), '');
  const provides = [self, ...[kernel, bare].map((evr): Dep => ({ name: 'kpatch-patch', flags: 'EQ', evr }))];
  const requires: Dep[] = [
    { name: 'kernel-uname-r', flags: 'EQ', evr: kernel },
    { name: 'kpatch', flags: 'GE', evr: '0.6.1-1' },
  ];
  if (given.empty === undefined) requires.push({ name: 'systemd' }, { name: '/bin/sh' });
  if (given.requires !== undefined) requires.push(dependency(given.requires));
  return { provides, requires, obsoletes };
}

/** An ISO time as seconds; a day long ago where none was given. */
const seconds = (time: string | undefined): number =>
  time === undefined ? 1_700_000_000 : Math.floor(Date.parse(time) / 1000);

function packageXml(offer: Offer): string {
  const pkg = parseNevra(offer.nevra);
  if (pkg === null) throw new Error(`${offer.nevra} is no NEVRA`);
  const { provides, requires, obsoletes } = dependencies(offer, pkg);
  const sum = createHash('sha256').update(offer.nevra).digest('hex');
  const size = offer.with.size ?? '5500';
  return [
    '<package type="rpm">',
    `  <name>${escaped(pkg.name)}</name>`,
    `  <arch>${pkg.arch}</arch>`,
    `  <version epoch="${pkg.epoch}" ver="${escaped(pkg.version)}" rel="${escaped(pkg.release)}"/>`,
    `  <checksum type="sha256" pkgid="YES">${sum}</checksum>`,
    '  <summary>Live kernel patching module</summary>',
    '  <description/>',
    '  <packager/>',
    '  <url/>',
    `  <time file="${seconds(offer.with.published)}" build="${seconds(offer.with.built)}"/>`,
    `  <size package="${size}" installed="${offer.with.empty === undefined ? 20000 : 0}" archive="124"/>`,
    `  <location href="Packages/${escaped(offer.nevra)}.rpm"/>`,
    '  <format>',
    '    <rpm:license>GPLv2</rpm:license>',
    entries('provides', provides) + entries('requires', requires) + entries('obsoletes', obsoletes),
    '  </format>',
    '</package>',
  ].join('\n');
}

/** One advisory: `@ADVISORY REPO ID [type=T] [severity=S] [cves=A,B] [issued=TIME]`, and the packages it lists. */
export interface MadeAdvisory {
  readonly id: string;
  readonly with: Readonly<Record<string, string>>;
  readonly packages: readonly string[];
}

function updateXml({ id, with: given, packages }: MadeAdvisory): string {
  const cves = (given.cves ?? '').split(',').filter((cve) => cve !== '');
  const references = cves.map(
    (cve) => `<reference href="https://case.invalid/${cve}" id="${cve}" type="cve" title="${cve}"/>`,
  );
  const entries = packages.map((text) => {
    const pkg = parseNevra(text);
    if (pkg === null) throw new Error(`${text} is no NEVRA`);
    return `<package name="${escaped(pkg.name)}" epoch="${pkg.epoch}" version="${escaped(pkg.version)}" release="${escaped(pkg.release)}" arch="${pkg.arch}"/>`;
  });
  const severity = given.severity === undefined ? '' : `<severity>${escaped(given.severity)}</severity>`;
  return `<update type="${given.type ?? 'security'}"><id>${escaped(id)}</id><title>Advisory ${escaped(id)}</title><issued date="${escaped(given.issued ?? '2025-11-01')}"/>${severity}<references>${references.join('')}</references><pkglist><collection>${entries.join('')}</collection></pkglist></update>`;
}

function record(type: string, text: string, directory: string): string {
  const sum = createHash('sha256').update(text).digest('hex');
  writeFileSync(path.join(directory, 'repodata', `${sum}-${type}.xml`), text);
  return `  <data type="${type}">
    <checksum type="sha256">${sum}</checksum>
    <open-checksum type="sha256">${sum}</open-checksum>
    <location href="repodata/${sum}-${type}.xml"/>
    <timestamp>1700000000</timestamp>
    <size>${Buffer.byteLength(text)}</size>
    <open-size>${Buffer.byteLength(text)}</open-size>
  </data>
`;
}

/** Writes repodata/ with what is offered, and advisories where there are any, into a directory. */
export function writeRepository(
  directory: string,
  offers: readonly Offer[],
  advisories: readonly MadeAdvisory[] = [],
): void {
  mkdirSync(path.join(directory, 'repodata'), { recursive: true });
  const primary = `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${offers.length}">
${offers.map(packageXml).join('\n')}
</metadata>
`;
  const updates = `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${advisories.map(updateXml).join('\n')}\n</updates>\n`;
  const records = [record('primary', primary, directory)];
  if (advisories.length > 0) records.push(record('updateinfo', updates, directory));
  const repomd = `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1700000000</revision>
${records.join('')}</repomd>
`;
  writeFileSync(path.join(directory, 'repodata', 'repomd.xml'), repomd);
}
