// The lists of a made-up repository, entry by entry: the packages, their files, and the advisories, as a vendor's has them.
import { kernelEntries, ordinaryEntry, patchEntry, WORDS } from './entries.ts';
import { type BenchKernel, type BenchPatch, benchPatches } from './kernels.ts';
import { type Random, random } from './random.ts';

export interface List {
  readonly type: 'primary' | 'filelists' | 'updateinfo';
  readonly head: string;
  readonly entries: Iterable<string>;
  readonly tail: string;
}

const PATCHES = 300;
const ADVISORIES = 3000;
const SEED = 8;
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACES = 'http://linux.duke.edu/metadata';

/** The lists of a repository of so many packages. */
export function lists(packages: number, kernels: readonly BenchKernel[]): List[] {
  const patches = benchPatches(kernels, PATCHES);
  const root = (element: string, schema: string, more: string): string =>
    `${DECLARATION}<${element} xmlns="${NAMESPACES}/${schema}"${more} packages="${packages}">\n`;
  return [
    {
      type: 'primary',
      head: root('metadata', 'common', ` xmlns:rpm="${NAMESPACES}/rpm"`),
      entries: primary(packages, kernels, patches),
      tail: '</metadata>\n',
    },
    {
      type: 'filelists',
      head: root('filelists', 'filelists', ''),
      entries: filelists(primary(packages, kernels, patches)),
      tail: '</filelists>\n',
    },
    { type: 'updateinfo', head: `${DECLARATION}<updates>\n`, entries: advisories(patches), tail: '</updates>\n' },
  ];
}

function* primary(count: number, kernels: readonly BenchKernel[], patches: readonly BenchPatch[]): Generator<string> {
  const source = random(SEED);
  const special = [...kernels.flatMap((kernel) => kernelEntries(kernel, source)), ...patches.map(patchEntry)];
  // Spread evenly: a reader that stops early must not look good.
  const every = Math.floor(count / special.length);
  let ordinary = 0;
  for (let n = 0; n < count; n++) {
    const mine = n % every === 0 ? special[n / every] : undefined;
    yield mine ?? ordinaryEntry(ordinary++, source);
  }
}

/** What filelists.xml repeats of an entry of primary.xml. */
const IDENTITY =
  /<name>([^<]+)<\/name>\s*<arch>([^<]+)<\/arch>\s*(<version [^>]*\/>)\s*<checksum type="sha256" pkgid="YES">(\w+)</;

/** A dozen files for each package, as most have: some 500 bytes. */
function* filelists(entries: Iterable<string>): Generator<string> {
  const source = random(SEED + 1);
  for (const entry of entries) {
    const [, name = '', arch = '', version = '', pkgid = ''] = IDENTITY.exec(entry) ?? [];
    const files = Array.from({ length: 2 + source.below(20) }, () => `  <file>${fileOf(name, source)}</file>\n`);
    yield `<package pkgid="${pkgid}" name="${name}" arch="${arch}">\n  ${version}\n${files.join('')}</package>\n`;
  }
}

const DIRECTORIES = ['/usr/bin', '/etc', '/usr/lib64', '/usr/share/man/man1'];
const fileOf = (name: string, source: Random): string =>
  `${source.pick(DIRECTORIES)}/${source.pick(WORDS)}-${name}.${source.below(9)}`;

const SENTENCE = 'It fixes the flaws listed below; each is described on a page of its own, with a score. ';

/** Advisories of some four kilobytes; one in ten is about a live patch. */
function* advisories(patches: readonly BenchPatch[]): Generator<string> {
  const source = random(SEED + 2);
  for (let n = 0; n < ADVISORIES; n++) {
    const patch = n % 10 === 0 ? patches[(n / 10) % patches.length] : undefined;
    const name = patch ? `kpatch-patch-${patch.kernel.short}` : `${source.pick(WORDS)}-${source.pick(WORDS)}${n}`;
    const [version, release] = patch ? [patch.version, patch.release] : [`1.${n % 40}`, `${1 + (n % 9)}.el9`];
    const id = `EXSA-${2022 + (n % 4)}:${1000 + n}`;
    const flaws = Array.from(
      { length: 2 + source.below(8) },
      () => `CVE-202${source.below(6)}-${source.below(50_000)}`,
    );
    yield advisory(id, name, version, release, flaws);
  }
}

function advisory(id: string, name: string, version: string, release: string, flaws: readonly string[]): string {
  const reference = (kind: string, what: string): string =>
    `      <reference href="https://security.example.com/${kind}/${what}" id="${what}" type="${kind}" title="${what}"/>\n`;
  const file = (arch: string): string =>
    `        <package name="${name}" version="${version}" release="${release}" epoch="0" arch="${arch}" src="${name}-${version}-${release}.src.rpm">\n` +
    `          <filename>${name}-${version}-${release}.${arch}.rpm</filename>\n        </package>\n`;
  return (
    `  <update from="security@example.com" status="final" type="security" version="1">\n    <id>${id}</id>\n` +
    `    <title>Important: ${name} update</title>\n    <issued date="2024-01-01 00:00:00"/>\n    <updated date="2024-01-02 00:00:00"/>\n` +
    `    <severity>Important</severity>\n    <summary>An update for ${name} is now available.</summary>\n` +
    `    <description>${SENTENCE.repeat(6)}${flaws.join(', ')}</description>\n` +
    `    <references>\n${reference('self', id)}${flaws.map((flaw) => reference('cve', flaw)).join('')}    </references>\n` +
    `    <pkglist>\n      <collection short="baseos">\n        <name>BaseOS</name>\n${['x86_64', 'ppc64le', 'src'].map(file).join('')}` +
    '      </collection>\n    </pkglist>\n  </update>\n'
  );
}
