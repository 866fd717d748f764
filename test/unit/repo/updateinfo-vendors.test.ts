// updateinfo.xml in the shapes that vendors give it: ids, words for type and severity, dates, references. The texts are made up;
// the shapes are theirs (Amazon Linux, openEuler, SUSE, Oracle, AlmaLinux).
import { describe, expect, test } from '@jest/globals';
import { labelOf, severityOf } from '../../../src/decide/updateinfo.ts';
import { readUpdateinfo } from '../../../src/observe/repo/updateinfo.ts';
import { xmlReader } from '../../../src/observe/repo/xml.ts';

async function read(entry: string) {
  const bytes = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${entry}\n</updates>\n`);
  const open = async () => {
    async function* stream() {
      yield bytes;
    }
    return { stream: stream(), check: () => undefined };
  };
  const [found] = await readUpdateinfo(open, 'the list', await xmlReader());
  return found;
}

const AMAZON = `<update author="linux-security@amazon.com" from="linux-security@amazon.com" status="final" type="security" version="1.4">
<id>ALAS2LIVEPATCH-2024-188</id><title>Amazon Linux 2 - ALAS2LIVEPATCH-2024-188: medium priority package update for kernel-livepatch-5.10.210-201.852</title>
<issued date="2024-07-03 23:17"/><updated date="2024-07-05 01:02"/><severity>medium</severity><description>text</description>
<references><reference href="http://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2024-26852" id="CVE-2024-26852" type="cve"/></references>
<pkglist><collection short="amazon-linux-2-livepatch"><name>Amazon Linux 2 livepatch</name>
<package arch="x86_64" epoch="0" name="kernel-livepatch-5.10.210-201.852" release="2.amzn2" version="1.0"><filename>Packages/kernel-livepatch-5.10.210-201.852-1.0-2.amzn2.x86_64.rpm</filename></package>
</collection></pkglist></update>`;

const OPENEULER = `<update from="openeuler.org" type="security" status="stable">
<id>openEuler-SA-2023-1001</id><title>An update for kernel is now available for openEuler-22.03-LTS-SP3</title><severity>Critical</severity><release>openEuler</release>
<issued date="2023-01-06"></issued>
<references><reference href="https://nvd.nist.gov/vuln/detail/CVE-2022-1158" id="CVE-2022-1158" title="CVE-2022-1158" type="cve"></reference></references>
<description>text</description>
<pkglist><hot_patch_collection name="openEuler"><name>openEuler</name>
<package arch="x86_64" name="patch-kernel-5.10.0-153.12.0.92.oe2203sp3-ACC" release="1" version="1"><filename>patch-kernel.rpm</filename></package></hot_patch_collection>
<collection short="openEuler"><name>openEuler</name>
<package arch="x86_64" name="kernel" release="153.13.0.93.oe2203sp3" version="5.10.0"><filename>kernel.rpm</filename></package></collection></pkglist></update>`;

const SUSE = `<update status="stable" from="maint-coord@suse.de" type="security" version="1">
<id>SUSE-SLE-Module-Live-Patching-15-SP5-2024-3048</id><title>Security update for the Linux Kernel (Live Patch 8 for SLE 15 SP5)</title>
<severity>important</severity><release>SUSE Linux Enterprise Live Patching 15-SP5</release><issued date="1724849583"/>
<references><reference href="https://bugzilla.suse.com/1225819" id="1225819" title="bug 1225819" type="bugzilla"/><reference href="https://www.suse.com/security/cve/CVE-2023-52846" id="CVE-2023-52846" title="CVE-2023-52846" type="cve"/></references>
<description>text</description><pkglist><collection>
<package name="kernel-livepatch-5_14_21-150500_55_39-default" version="8" release="150500.11.6.1" arch="x86_64" src="kernel-livepatch-SLE15-SP5_Update_8"><filename>kernel-livepatch.rpm</filename><restart_suggested>1</restart_suggested></package>
</collection></pkglist></update>`;

const ORACLE = `<update from="el-errata" status="final" type="security" version="2.0">
<id>ELSA-2024-12581</id><title>ELSA-2024-12581:  Unbreakable Enterprise kernel security update</title><severity>IMPORTANT</severity><release>Oracle Linux 9</release>
<issued date="2024-08-12"/><rights>Copyright</rights>
<references><reference href="https://linux.oracle.com/errata/ELSA-2024-12581.html" id="ELSA-2024-12581" title="ELSA-2024-12581" type="self"/><reference href="https://linux.oracle.com/cve/CVE-2024-36971.html" id="CVE-2024-36971" title="CVE-2024-36971" type="cve"/></references>
<description>text</description><pkglist><collection short="ol9_x86_64_UEKR7"><name>ol9_x86_64_UEKR7</name>
<package name="kernel-uek-core" version="5.15.0" release="209.161.7.1.el9uek" epoch="0" arch="x86_64" src="kernel-uek-5.15.0-209.161.7.1.el9uek.src.rpm"><filename>kernel-uek-core.rpm</filename></package>
</collection></pkglist></update>`;

const ALMA = `<update from="packager@almalinux.org" status="final" type="security" version="3">
<id>ALSA-2024:4211</id><title>Important: kernel security and bug fix update</title><issued date="2024-07-02 00:00:00"/><updated date="2024-07-08 13:19:10"/><severity>Important</severity>
<references><reference href="https://access.redhat.com/security/cve/CVE-2020-26555" id="CVE-2020-26555" title="CVE-2020-26555" type="cve"/></references><description>text</description>
<pkglist><collection short="almalinux-8-for-x86_64-baseos"><name>almalinux-8</name><module stream="x" name="y" version="1" context="c" arch="x86_64"/>
<package name="kernel-core" version="4.18.0" release="553.8.1.el8_10" epoch="0" arch="x86_64" src="kernel.src.rpm"><filename>kernel-core.rpm</filename><reboot_suggested>True</reboot_suggested></package></collection></pkglist></update>`;

describe('advisories as vendors write them', () => {
  test.each([
    [
      'Amazon',
      AMAZON,
      'ALAS2LIVEPATCH-2024-188',
      'Moderate/Sec.',
      ['CVE-2024-26852'],
      ['kernel-livepatch-5.10.210-201.852'],
    ],
    ['openEuler', OPENEULER, 'openEuler-SA-2023-1001', 'Critical/Sec.', ['CVE-2022-1158'], ['kernel']],
    [
      'SUSE',
      SUSE,
      'SUSE-SLE-Module-Live-Patching-15-SP5-2024-3048',
      'Important/Sec.',
      ['CVE-2023-52846'],
      ['kernel-livepatch-5_14_21-150500_55_39-default'],
    ],
    ['Oracle', ORACLE, 'ELSA-2024-12581', 'Important/Sec.', ['CVE-2024-36971'], ['kernel-uek-core']],
    ['AlmaLinux', ALMA, 'ALSA-2024:4211', 'Important/Sec.', ['CVE-2020-26555'], ['kernel-core']],
  ])('%s', async (_, text, id, label, cves, names) => {
    const found = await read(text);
    expect(found).toMatchObject({ id, cves });
    expect(found && labelOf({ ...found, repo: 'x', signer: null })).toBe(label);
    expect(found?.packages.map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ['critical', 'Critical'],
    ['IMPORTANT', 'Important'],
    ['medium', 'Moderate'],
    ['Moderate', 'Moderate'],
    ['low', 'Low'],
    ['None', 'Unknown'],
    ['', 'Unknown'],
    [null, 'Unknown'],
  ])('severity %s is %s', (written, meant) => expect(severityOf(written)).toBe(meant));
});
