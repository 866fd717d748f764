// Every sink has its encoder. Here: lines (a message is one record of the journal, and one line of a log), spec files of rpm,
// and the XML of repository metadata. The others: terminal.test.ts (terminal, JSON), fleet-page.test.ts (HTML, CSV),
// test/unit/cli/metrics.test.ts (Prometheus labels, Nagios).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { main } from '../../src/cli/main.ts';
import { ownPackage } from '../../src/decide/publish.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import { updateinfoXml } from '../../src/formats/repodata/updateinfo.ts';
import { attributes, element } from '../../src/formats/repodata/xml.ts';
import { TAG } from '../../src/formats/rpm/tags.ts';
import { realRun } from '../../src/host/run.ts';
import { attribute, child, textOf } from '../../src/observe/repo/element.ts';
import { xmlReader } from '../../src/observe/repo/xml.ts';
import { specText } from '../../src/usecases/publish/spec.ts';
import { elf, modinfo, thisModule } from '../support/elf.ts';
import { KERNELS, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { certificate, forgeKey } from '../support/forge-pgp.ts';
import { forgeRpm } from '../support/forge-rpm.ts';
import { needs } from '../support/programs.ts';
import { livePatch, makeRepo } from '../support/repodata.ts';
import { surroundings } from '../support/surroundings.ts';

/** Would be a line, and a record of the journal, that looks like ours. */
const LINES = 'x\nError: forged\r\nWarning: forged\u2028Error: forged\u0085Error: forged\n<3>forged';
const FORGED = /^(?:Error: |Warning: |<3>)forged/m;

describe('lines: a foreign text does not begin one of its own', () => {
  let root: ScratchRoot;
  let files: string;
  beforeAll(() => {
    files = mkdtempSync(path.join(os.tmpdir(), 'kpm-lines-'));
    const entities = [...LINES].map((char) => (char === '<' ? '&lt;' : `&#${char.codePointAt(0)};`)).join('');
    const usual = livePatch(KERNELS.K1, '1-5');
    const format = usual.format?.replace('<rpm:requires>', `<rpm:requires><rpm:entry name="evil${entities}"/>`) ?? '';
    const repo = makeRepo([{ ...usual, format }], {
      repomd: (text) => text.replace('<revision>', `<revision>${entities}`),
    });
    root = scratchRoot({
      kernels: [KERNELS.K1],
      repos: `[evil]\nname=Evil\nbaseurl=file://${files}/repo\ngpgcheck=1\n`,
    });
    for (const [name, bytes] of repo.files) {
      const file = path.join(files, 'repo', name);
      mkdirs(file);
      writeFileSync(file, bytes);
    }
    const tags = [
      { tag: TAG.name, value: 'kpatch-patch-5_14_0-1' },
      { tag: TAG.summary, value: `Summary ${LINES}` },
      { tag: TAG.sourceRpm, value: `source${LINES}.src.rpm` },
      { tag: TAG.provideName, value: ['kpatch-patch', `evil${LINES}`] },
      { tag: TAG.provideVersion, value: [`5.14.0-1.el9${LINES}`, '1'] },
      { tag: TAG.provideFlags, value: [8, 8] },
      { tag: TAG.requireName, value: ['kernel-uname-r', `rpmlib(${LINES})`] },
      { tag: TAG.requireVersion, value: [`5.14.0-1.el9.x86_64${LINES}`, '1'] },
      { tag: TAG.requireFlags, value: [8, 8] },
    ];
    writeFileSync(path.join(files, 'evil.rpm'), forgeRpm({ tags }));
    writeFileSync(path.join(files, 'link.rpm'), forgeRpm({ files: [{ path: '/a', mode: 0o120777, linkTo: LINES }] }));
    const sections = {
      '.modinfo': modinfo('livepatch=Y', `vermagic=5.14.0-1.el9.x86_64 SMP ${LINES}`, `depends=${LINES}`),
      '.gnu.linkonce.this_module': thisModule('kpatch_evil'),
    };
    writeFileSync(path.join(files, 'evil.ko'), elf({ sections }));
    writeFileSync(path.join(files, 'evil.key'), certificate(forgeKey('ed25519', 1700000000), `Owner ${LINES}`));
    writeFileSync(path.join(files, LINES.replaceAll('/', '')), 'no package');
  });
  afterAll(() => {
    root.remove();
    rmSync(files, { recursive: true });
  });
  const looks: readonly (readonly string[])[] = [
    ['status', '--refresh'],
    ['install', '--dry-run', '-v'],
    ['-y', 'auto', '-v'],
    ['list', '--available'],
    ['info'],
    ['inspect', 'evil.rpm', 'link.rpm', 'evil.ko', LINES],
    ['inspect', '--key', 'evil.key', 'evil.rpm'],
    ['-y', 'keys', 'import', 'evil.key'],
    ['keys', 'show', LINES],
    ['bundle', 'verify', LINES],
    ['bundle', 'install', 'evil.rpm', '-y'],
    ['publish', LINES, '--kernel', KERNELS.K1, '--release', '1', '--sign', LINES, '--repo', LINES],
    ['status', '--repo', LINES],
    [LINES],
  ];
  test.each(looks.map((args) => [args]))('%j', async (args) => {
    const around = surroundings({ hostPath: '/', directory: files });
    await main(['--installroot', root.path, ...args], around);
    expect(around.stdout.text + around.stderr.text).not.toBe('');
    expect(FORGED.exec(around.stderr.text)?.[0] ?? null).toBeNull();
    expect(FORGED.exec(around.stdout.text)?.[0] ?? null).toBeNull();
  });
});

function mkdirs(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
}

needs('rpm')('spec files: text expands to nothing and ends nothing', () => {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-spec-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const ATTACKS = [
    '%(touch OWNED)',
    '%{lua:os.execute("touch OWNED")}',
    '%define name x',
    'a\n%post\ntouch OWNED',
    '%%(touch OWNED)',
    '%{expand:%(touch OWNED)}',
    'a\n%changelog',
    'a\n* Thu Jan 01 2026 forged <x@y> [9-9]',
    'a\n%include /etc/passwd',
    'a\n#%(touch OWNED)',
    '%',
  ];
  test.each(ATTACKS)('%j', async (attack) => {
    const owned = path.join(scratch, 'owned');
    const text = attack.replaceAll('OWNED', owned);
    const pkg = ownPackage(KERNELS.K1 as KernelRelease, { version: '0', release: '0' }, true);
    if ('problem' in pkg) throw new Error(pkg.problem);
    const changes = [
      {
        time: 1_700_000_000,
        author: `${text} <a@b.invalid> [0-0]`,
        text: `- kernel: ${text} {CVE-2024-99999}\n- ${text}`,
      },
    ];
    const spec = path.join(scratch, 'a.spec');
    writeFileSync(
      spec,
      specText({ pkg: { ...pkg, summary: `S ${text}`, description: text }, source: null, packager: text, changes }),
    );
    const asked = await realRun.run('rpmspec', [
      '-q',
      '--qf',
      '%{NAME}|%{SUMMARY}|%{PACKAGER}|%{CHANGELOGTEXT}|%{POSTIN}',
      spec,
    ]);
    expect([asked.status, asked.stderr]).toEqual([0, '']);
    const one = text.replace(/\s+/g, ' ').trim();
    const [name, summary, packager, changelog, post] = asked.stdout.toString().split('|');
    expect([name, summary, packager, post]).toEqual([pkg.nevra.name, `S ${one}`, one, '(none)']);
    // On a line of its own a sign that would begin a section or an entry is put behind a dash.
    const lines = changes[0]?.text.split('\n').map((line) => line.trim().replace(/^(?=[%*#])/, '- '));
    expect(changelog).toBe(lines?.join('\n'));
    expect((await realRun.run('ls', [scratch])).stdout.toString()).toBe('a.spec\n');
  });
});

describe('XML of metadata: what is written is what is read, whatever it is', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('</x>', '"/><evil/>', ']]>', '<!--', '&amp;', '&#10;', '\u0000', '\ud800'),
  );
  const allowed = (value: string): string =>
    value.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd');
  test('elements and attributes', async () => {
    const xml = await xmlReader();
    fc.assert(
      fc.property(text, (value) => {
        const read = child(
          xml.parse(
            `<a>${element('b', `.${value}.`)}<c${attributes({ d: `.${value}.` })}/></a>`,
            'x',
            'repomd-malformed',
          ),
          'a',
        );
        // XML itself makes line ends alike.
        const same = (found: string | null): string => (found ?? '').replace(/\r\n?|\n|\t/g, ' ');
        expect(same(textOf(read, 'b'))).toBe(same(`.${allowed(value)}.`));
        expect(same(attribute(child(read, 'c'), 'd'))).toBe(same(`.${allowed(value)}.`));
      }),
      { numRuns: 500 },
    );
  });
  test('an advisory cannot end its entry', () => {
    const evil = '</title></update><update><id>FORGED</id>';
    const base = {
      type: 'security',
      severity: evil,
      title: evil,
      description: evil,
      rights: evil,
      issued: evil,
      updated: evil,
    } as const;
    const advisory = {
      ...base,
      id: evil,
      references: [{ type: evil, id: evil, title: evil, href: evil }],
      packages: [],
    };
    expect(updateinfoXml([advisory]).match(/<update\b/g)).toHaveLength(1);
    expect(updateinfoXml([advisory])).not.toContain('<id>FORGED');
  });
});
