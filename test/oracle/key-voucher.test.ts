// A key file that an installed, signed package brings: with a real package, signed by rpmsign, in a real rpm database.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { Root } from '../../src/host/root.ts';
import { type Run, realRun } from '../../src/host/run.ts';
import { voucherOf } from '../../src/state/key-voucher.ts';
import { type Built, buildRpm } from '../support/build-rpm.ts';
import { Gpg } from '../support/gpg.ts';
import { needs } from '../support/programs.ts';

const FILE = '/etc/pki/rpm-gpg/RPM-GPG-KEY-next';
const CONTENT = 'the next key';
const SPEC = `
Name: vendor-release
Version: 9
Release: 1
Summary: Brings the next key
License: MIT
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/etc/pki/rpm-gpg
printf '${CONTENT}' > %{buildroot}${FILE}
%files
${FILE}
`;
const NOW = new Date();

needs(
  'rpm',
  'rpmbuild',
  'rpmsign',
  'gpg',
)('voucherOf', () => {
  let dir: string;
  let gpg: Gpg;
  let signed: Built;
  let vendor: string;
  let stranger: string;
  let root: Root;
  const keys = (...names: string[]) => names.flatMap((name) => parseKeys(gpg.export(name)));

  beforeAll(async () => {
    gpg = new Gpg();
    vendor = gpg.key('Vendor', 'rsa2048');
    stranger = gpg.key('Stranger', 'rsa2048');
    signed = await buildRpm(SPEC);
    const macros = ['__gpg /usr/bin/gpg', `_gpg_path ${gpg.home}`, `_gpg_name ${vendor}`];
    const { status, stderr } = spawnSync('rpmsign', [
      ...macros.flatMap((one) => ['--define', one]),
      '--addsign',
      signed.file,
    ]);
    if (status !== 0) throw new Error(`rpmsign: ${stderr}`);
    dir = mkdtempSync(path.join(tmpdir(), 'kpm-voucher-'));
    root = new Root(dir);
    const database = path.join(dir, 'usr/lib/sysimage/rpm');
    mkdirSync(database, { recursive: true });
    const register = ['--dbpath', database, '-i', '--justdb', '--nodeps', '--noscripts', '--nosignature', signed.file];
    expect(spawnSync('rpm', register).status).toBe(0);
    mkdirSync(path.join(dir, path.dirname(FILE)), { recursive: true });
  });
  beforeEach(() => writeFileSync(path.join(dir, FILE), CONTENT));
  afterAll(() => {
    gpg.close();
    signed.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  test('the package that brings the file vouches for it', async () => {
    const voucher = { package: 'vendor-release-9-1.noarch', signedBy: vendor, content: Buffer.from(CONTENT) };
    expect(await voucherOf(root, realRun, FILE, keys(stranger, vendor), NOW)).toEqual(voucher);
  });

  test('not when its signer is not trusted', async () => {
    expect(await voucherOf(root, realRun, FILE, keys(stranger), NOW)).toBeNull();
    expect(await voucherOf(root, realRun, FILE, [], NOW)).toBeNull();
  });

  test('not when the file is another than the package brought', async () => {
    writeFileSync(path.join(dir, FILE), `${CONTENT}!`);
    expect(await voucherOf(root, realRun, FILE, keys(vendor), NOW)).toBeNull();
  });

  test('not for a file no package owns, or one that is not there', async () => {
    root.write('etc/pki/rpm-gpg/RPM-GPG-KEY-other', CONTENT);
    expect(await voucherOf(root, realRun, '/etc/pki/rpm-gpg/RPM-GPG-KEY-other', keys(vendor), NOW)).toBeNull();
    root.remove(FILE.slice(1));
    expect(await voucherOf(root, realRun, FILE, keys(vendor), NOW)).toBeNull();
  });

  test('not when what rpm answers was changed', async () => {
    const changing = (change: (text: string) => string): Run => ({
      ...realRun,
      run: async (program, args, options) => {
        const result = await realRun.run(program, args, options);
        return { ...result, stdout: Buffer.from(change(result.stdout.toString('latin1')), 'latin1') };
      },
    });
    const ask = (change: (text: string) => string) => voucherOf(root, changing(change), FILE, keys(vendor), NOW);
    expect(await ask((text) => text)).not.toBeNull();
    expect(
      await ask((text) => text.replace(/^(.{40})./s, (_, before) => `${before}${text[40] === 'A' ? 'B' : 'A'}`)),
    ).toBeNull();
    expect(await ask((text) => text.replace(/[\s\S]*?(?=\n[0-9a-f]{24}-)/, '(none)'))).toBeNull();
    expect(await ask((text) => text.replace(/(?<=-\n)[A-Za-z0-9+/\n]+=*(?=\n[0-9a-f]{24}-\n)/, '(none)'))).toBeNull();
    expect(await ask(() => 'nonsense\n====\n')).toBeNull();
  });

  test('not without rpm, or without a database', async () => {
    expect(await voucherOf(root, { ...realRun, which: () => null }, FILE, keys(vendor), NOW)).toBeNull();
    const empty = mkdtempSync(path.join(tmpdir(), 'kpm-voucher-'));
    expect(await voucherOf(new Root(empty), realRun, FILE, keys(vendor), NOW)).toBeNull();
    rmSync(empty, { recursive: true });
  });

  /**
   * The answer of an rpm that knows the tag OPENPGP (6.0 and later; not on this machine): that of the rpm here, with the texts that its
   * database would hold in place of the older tags.
   */
  const asNewer = (texts: string[]): Run => ({
    ...realRun,
    run: async (program, args, options) => {
      const newer = '[%{OPENPGP}\\n]';
      const format = args.at(-1) ?? '';
      if (program !== 'rpm' || !format.includes(newer)) return realRun.run(program, args, options);
      const older = format.replace('%{RSAHEADER:base64}', '(none)').replace(newer, 'OPENPGP');
      const answer = await realRun.run(program, [...args.slice(0, -1), older], options);
      const told = answer.stdout.toString('latin1').replaceAll('OPENPGP', texts.map((text) => `${text}\n`).join(''));
      return { ...answer, stdout: Buffer.from(told, 'latin1') };
    },
  });
  /** A signature over the header of the installed package, as the tag holds it. */
  const overHeader = (key: string): string => {
    const { headerBytes } = parseRpm(signed.bytes);
    return gpg.run(['--local-user', key, '--digest-algo', 'SHA256', '--detach-sign'], headerBytes).toString('base64');
  };

  test('a package that carries only the tag of newer rpm vouches, by any of its signatures', async () => {
    const found = await voucherOf(root, asNewer([overHeader(stranger), overHeader(vendor)]), FILE, keys(vendor), NOW);
    expect(found).toMatchObject({ package: 'vendor-release-9-1.noarch', signedBy: vendor });
    expect(await voucherOf(root, asNewer([overHeader(stranger)]), FILE, keys(vendor), NOW)).toBeNull();
    expect(await voucherOf(root, asNewer([]), FILE, keys(vendor), NOW)).toBeNull();
    expect(await voucherOf(root, asNewer(['no base64!', '']), FILE, keys(vendor), NOW)).toBeNull();
  });

  test('a bad signature beside a good one vouches for nothing', async () => {
    const other = gpg.run(['--local-user', vendor, '--detach-sign'], Buffer.from('another header')).toString('base64');
    expect(await voucherOf(root, asNewer([overHeader(vendor), other]), FILE, keys(vendor), NOW)).toBeNull();
  });

  test('the text of a tag cannot play the answer about another package', async () => {
    // A header that the vendor signed, of a package that is not installed, as an answer of rpm's form would hold it.
    const other = await buildRpm(SPEC.replace('vendor-release', 'never-installed').replace(CONTENT, 'another key'));
    try {
      writeFileSync(path.join(dir, FILE), 'another key');
      const { headerBytes } = parseRpm(other.bytes);
      const rsa = gpg.run(['--local-user', vendor, '--detach-sign'], headerBytes).toString('base64');
      const blob = headerBytes.subarray(8).toString('base64');
      for (const [field, record] of [
        ['--', '===='],
        ['-', '='],
        ['', ''],
      ]) {
        const forged = `x\n${record}\n${rsa}\n${field}\n(none)\n${field}\n${blob}\n${field}\n\n${record}\n`;
        expect(await voucherOf(root, asNewer([forged]), FILE, keys(vendor), NOW)).toBeNull();
      }
    } finally {
      other.remove();
    }
  });
});
