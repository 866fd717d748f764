// Publishing into a repository that is there: nothing of it is lost, whatever fails, and nothing of ours stays beside it.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tool } from '../../repo-fixtures/builder/tools.ts';
import { type Run, realRun } from '../../src/host/run.ts';
import { publish } from '../../src/usecases/publish/publish.ts';
import type { PublishRequest } from '../../src/usecases/publish/request.ts';
import { FIXTURES } from '../support/fixtures.ts';
import { listener, machineOver } from '../support/machine.ts';
import { needs } from '../support/programs.ts';
import { command, K1, NAME, PUBLISHERS, Publishing, RELEASE } from '../support/publishing.ts';
import { treeOf } from '../support/tree.ts';

const publishing = new Publishing();
const { at, gpg, env } = publishing;
const typed = publishing.typed.bind(publishing);
const moduleFile = publishing.moduleFile.bind(publishing);
afterAll(() => publishing.close());

needs(...PUBLISHERS)('a repository that is there', () => {
  beforeAll(() => publishing.importKey());

  test('what replaces a level and fails leaves the old one; what does not fail leaves no other', async () => {
    const again = (release: string, more: string[] = []) =>
      typed(...command('again', moduleFile(`kpatch_5_14_0_427_13_1_1_${release}`), '--release', release, ...more));
    expect((await again('1')).status).toBe(0);
    const file = at(`again/Packages/${NAME}-1-1.el9_4.x86_64.rpm`);
    const tree = () => treeOf(at('again'));
    const before = tree();
    const seen: string[][] = [];
    const run: Run = {
      ...realRun,
      run: (program, args, more) => {
        if (program !== 'modifyrepo_c') return realRun.run(program, args, more);
        seen.push(tree().filter((line) => !line.includes('.kpatch-pm-')));
        return realRun.run('false', args, more);
      },
    };
    const request: PublishRequest = {
      ...{ module: moduleFile('kpatch_5_14_0_427_13_1_1_1'), kernel: K1, version: '1', release: '1', sign: RELEASE },
      ...{ repository: at('again'), cves: [], texts: ['Another text.'], moduleKey: null, force: true },
    };
    await expect(publish(machineOver('/', null, { run, env }), request, listener())).rejects.toMatchObject({
      code: 'publish-failed',
    });
    // Not even while the metadata was made was anything else to be seen.
    expect([seen, tree()]).toEqual([[before], before]);
    // Somebody's own copy of the level, at the top; and what a run left that was ended in the middle.
    cpSync(file, at(`again/${NAME}-1-1.el9_4.x86_64.rpm`));
    mkdirSync(at('again/.kpatch-pm-0123456789abcdef01234567/repodata'), { recursive: true });
    const old = readFileSync(file);
    expect((await again('1', ['--force', '--changelog', 'Another text.'])).status).toBe(0);
    expect(readFileSync(file).equals(old)).toBe(false);
    expect(readdirSync(at('again')).sort()).toEqual(['Packages', expect.stringMatching(/^RPM-GPG-KEY/), 'repodata']);
    const [primary] = readdirSync(at('again/repodata')).filter((name) => name.includes('primary'));
    const listed = gunzipSync(readFileSync(at(`again/repodata/${primary}`))).toString();
    expect([...listed.matchAll(/<location href="(.*?)"/g)].map((match) => match[1])).toEqual([
      `Packages/${NAME}-1-1.el9_4.x86_64.rpm`,
    ]);
    expect(listed).toContain(createHash('sha256').update(readFileSync(file)).digest('hex'));
  });

  test('what else the repository has stays in it, word for word', async () => {
    mkdirSync(at('site/extras'), { recursive: true });
    const [other] = readdirSync(path.join(FIXTURES, 'el9/Packages')).filter((name) => name.startsWith('kernel-core'));
    cpSync(path.join(FIXTURES, 'el9/Packages', other as string), at(`site/extras/${other}`));
    writeFileSync(at('comps.xml'), '<?xml version="1.0"?>\n<comps><group><id>$& site</id></group></comps>\n');
    writeFileSync(at('modules.yaml'), 'document: modulemd\n');
    tool('createrepo_c', ['-q', '-g', at('comps.xml'), at('site')]);
    tool('modifyrepo_c', ['--mdtype', 'modules', at('modules.yaml'), at('site/repodata')]);
    const records = () =>
      [...readFileSync(at('site/repodata/repomd.xml'), 'utf8').matchAll(/<data type="(.*?)">[\s\S]*?<\/data>/g)]
        .filter(([, type = '']) => /^(group|modules)/.test(type))
        .map(([record]) => record);
    const before = records();
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect((await typed(...command('site', moduleFile('kpatch_5_14_0_427_13_1_1_1'), '--release', '1'))).status).toBe(
      0,
    );
    expect(records()).toEqual(before);
    for (const record of before) {
      const [, href = ''] = /<location href="(.*?)"/.exec(record) ?? [];
      const [, sum] = /<checksum type="sha256">(.*?)</.exec(record) ?? [];
      expect(
        createHash('sha256')
          .update(readFileSync(at(`site/${href}`)))
          .digest('hex'),
      ).toBe(sum);
    }
    // Packages that lie elsewhere than ours are listed where they lie.
    const [primary] = readdirSync(at('site/repodata')).filter((name) => name.includes('primary'));
    expect(gunzipSync(readFileSync(at(`site/repodata/${primary}`))).toString()).toContain(`href="extras/${other}"`);
    gpg.run(['--verify', at('site/repodata/repomd.xml.asc'), at('site/repodata/repomd.xml')]);
    // What would be lost ends it.
    rmSync(at(`site/${/<location href="(.*?)"/.exec(before[0] ?? '')?.[1]}`));
    const lost = await typed(...command('site', moduleFile('kpatch_5_14_0_427_13_1_1_2'), '--release', '2'));
    expect([lost.status, lost.err]).toEqual([1, expect.stringMatching(/names metadata of the type .* would be lost/)]);
  });
});
