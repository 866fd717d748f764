// A key file that an installed, signed package brings: with a real package, signed by rpmsign, in a real rpm database.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
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
    expect(await ask((text) => text.replace(/AAAA(?=\n====)/, 'AAAB').replace(/^(.{40})./s, '$1A'))).toBeNull();
    expect(await ask((text) => text.replace(/[\s\S]*?--/, '(none)\n--'))).toBeNull();
    expect(await ask(() => '(none)\n--\n(none)\n--\n(none)\n====\n')).toBeNull();
    expect(await ask(() => 'nonsense\n====\n')).toBeNull();
  });

  test('not without rpm, or without a database', async () => {
    expect(await voucherOf(root, { ...realRun, which: () => null }, FILE, keys(vendor), NOW)).toBeNull();
    const empty = mkdtempSync(path.join(tmpdir(), 'kpm-voucher-'));
    expect(await voucherOf(new Root(empty), realRun, FILE, keys(vendor), NOW)).toBeNull();
    rmSync(empty, { recursive: true });
  });
});
