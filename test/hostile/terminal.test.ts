// Text of strangers on its way to a terminal: escape sequences, control, bidirectional and invisible characters in
// repositories, packages, modules, keys and file names never come out raw, neither as text nor in JSON.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { TAG } from '../../src/formats/rpm/tags.ts';
import { elf, modinfo, thisModule } from '../support/elf.ts';
import { KERNELS, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { certificate, forgeKey } from '../support/forge-pgp.ts';
import { forgeRpm } from '../support/forge-rpm.ts';
import { livePatch, type MadePackage, makeRepo } from '../support/repodata.ts';
import { surroundings } from '../support/surroundings.ts';

/** What must never reach a terminal: C0 but the line feed, DEL, C1, bidirectional and invisible characters. */
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

/** Clears the screen, sets the title, hides, reverses, and ends lines, in as many ways. */
const EVIL = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnp.exe\u2066\u200b\u2028\rdone\u0000'.replaceAll(
  '\u0000',
  '',
);
/** The same as an XML document may carry it. */
const XML = [...EVIL].map((char) => `&#${char.codePointAt(0)};`).join('');

/** A live patch that also requires something else: the name of it is told in the reason why it is not taken. */
function needing(kernel: string, level: string, name: string): MadePackage {
  const usual = livePatch(kernel, level);
  const format = usual.format?.replace('<rpm:requires>', `<rpm:requires><rpm:entry name="${name}"/>`) ?? '';
  return { ...usual, format };
}

let root: ScratchRoot;
let settings: ScratchRoot;
let files: string;

beforeAll(() => {
  files = mkdtempSync(path.join(tmpdir(), 'kpm-evil-'));
  const repo = makeRepo(
    [livePatch(KERNELS.K1, '1-5'), needing(KERNELS.K2, '1-7', `evil${XML}`), needing(KERNELS.K3, '1-1', XML)],
    { repomd: (text) => text.replace('<revision>', `<revision>${XML}`) },
  );
  // Every summary too.
  const primary = repo.primary.toString().replaceAll('Summary of', `${XML}Summary of`);
  const evil = makeRepo([], { primary });
  for (const [name, bytes] of [...repo.files, ...evil.files]) {
    const file = path.join(files, 'repo', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  const kernels = [KERNELS.K1, KERNELS.K2, KERNELS.K3];
  const repos = `[evil]\nname=Evil\nbaseurl=file://${files}/repo\nenabled=1\ngpgcheck=1\n`;
  root = scratchRoot({ kernels, repos });
  const line = EVIL.replaceAll('\r', '');
  settings = scratchRoot({
    kernels,
    repos: `${repos}[odd]\nname=Odd ${line}\nbaseurl=file:///nowhere/${line}\nenabled=1\nskip_if_unavailable=1\n`,
    kpatchConf: `[main]\nautoupdate = ${EVIL}\n`,
    files: { 'etc/dnf/dnf.conf': `[main]\nexcludepkgs=nothing${EVIL}\nbest=${EVIL}\nodd${EVIL}=1\n` },
  });

  const module = elf({
    sections: {
      '.modinfo': modinfo(
        'livepatch=Y',
        `vermagic=5.14.0-1.el9.x86_64 SMP ${EVIL}`,
        `depends=${EVIL}`,
        `srcversion=${EVIL}`,
      ),
      '.gnu.linkonce.this_module': thisModule('kpatch_evil'),
      '.kpatch.checksum': Buffer.from(`${EVIL}\0`),
    },
  });
  writeFileSync(path.join(files, 'evil.ko'), module);
  const tags = [
    { tag: TAG.name, value: 'kpatch-patch-5_14_0-1' },
    { tag: TAG.summary, value: `Summary ${EVIL}` },
    { tag: TAG.sourceRpm, value: `source${EVIL}.src.rpm` },
    { tag: TAG.payloadCompressor, value: `gzip${EVIL}` },
    { tag: TAG.changelogTime, value: [1700000000] },
    { tag: TAG.changelogName, value: [`Author ${EVIL}`] },
    { tag: TAG.changelogText, value: [`- kernel: ${EVIL} [1234567] {CVE-2024-99999}\n- more ${EVIL}`] },
    { tag: TAG.provideName, value: ['kpatch-patch', `evil${EVIL}`] },
    { tag: TAG.provideVersion, value: [`5.14.0-1.el9${EVIL}`, '1'] },
    { tag: TAG.provideFlags, value: [8, 8] },
    { tag: TAG.requireName, value: ['kernel-uname-r', `rpmlib(${EVIL})`] },
    { tag: TAG.requireVersion, value: [`5.14.0-1.el9.x86_64${EVIL}`, '1'] },
    { tag: TAG.requireFlags, value: [8, 8] },
  ];
  writeFileSync(path.join(files, 'evil.rpm'), forgeRpm({ tags }));
  writeFileSync(path.join(files, 'evil-name.rpm'), forgeRpm({ tags: [{ tag: TAG.name, value: `a${EVIL}` }] }));
  writeFileSync(
    path.join(files, 'evil-path.rpm'),
    forgeRpm({ files: [{ path: `/a${EVIL}`, data: Buffer.from('x') }] }),
  );
  writeFileSync(path.join(files, 'evil-link.rpm'), forgeRpm({ files: [{ path: '/a', mode: 0o120777, linkTo: EVIL }] }));
  writeFileSync(path.join(files, `name ${EVIL}.rpm`), 'no package');
  writeFileSync(path.join(files, 'evil.key'), certificate(forgeKey('ed25519', 1700000000), `Owner ${EVIL}`));
});

afterAll(() => {
  root.remove();
  settings.remove();
  rmSync(files, { recursive: true });
});

async function run(args: readonly string[], below = root): Promise<string> {
  const around = surroundings({ hostPath: '/', directory: files });
  await main(['--installroot', below.path, ...args], around);
  return around.stdout.text + around.stderr.text;
}

/** Verbs that show something of a repository or of this machine, with what they need. */
const LOOKS: readonly (readonly string[])[] = [
  ['status', '--refresh'],
  ['install', '--dry-run'],
  ['auto', '--dry-run'],
  ['kernels'],
  ['makecache'],
  ['list'],
  ['list', '--available'],
  ['info'],
  ['search', 'kpatch'],
  ['provides', 'kpatch-patch'],
  ['check-update'],
  ['repolist'],
  ['repoinfo'],
  ['upgrade', '--dry-run'],
  ['verify'],
  ['needs-reboot'],
  ['cves'],
  ['updateinfo'],
  ['report'],
  ['metrics'],
  ['keys', 'list'],
  ['keys', 'show', `${EVIL}`],
  [
    'inspect',
    'evil.rpm',
    'evil-name.rpm',
    'evil-path.rpm',
    'evil-link.rpm',
    'evil.ko',
    `name ${EVIL}.rpm`,
    `absent ${EVIL}`,
  ],
  ['inspect', '--diff', 'evil-path.rpm', 'evil.rpm'],
  ['inspect', '--key', 'evil.key', 'evil.rpm'],
  ['inspect', '--key', `absent ${EVIL}`, 'evil.rpm'],
  ['install', '--dry-run', '--kernel', `5.14${EVIL}`],
  ['status', '--repo', EVIL],
  [`verb${EVIL}`],
  ['status', `--option${EVIL}`],
];

describe.each([[[]], [['--json']], [['-v']], [['-q']]])('with %j', (more) => {
  test.each(LOOKS.map((args) => [args]))('%j', async (args) => {
    for (const below of [root, settings]) {
      const said = await run([...args, ...more], below);
      expect(JSON.stringify(RAW.exec(said)?.[0] ?? null)).toBe('null');
    }
  });
});

// (XML parsers leave out the characters that XML does not allow; the ones after them arrive.)
const SHOWN = '\\u009b31m';

test.each([[['inspect', 'evil.rpm']], [['inspect', 'evil.ko']], [['status', '--refresh']], [['install', '--dry-run']]])(
  '%j: what was hidden is shown instead',
  async (args) => {
    expect((await run(args)).replace(/\s+/g, '')).toContain(SHOWN);
    // JSON reads back as the same harmless text.
    const json = await run([...args, '--json']);
    expect(json).toContain(JSON.stringify(SHOWN).slice(1, -1));
  },
);
