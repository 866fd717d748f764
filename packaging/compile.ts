// node compile.cjs: has V8 compile what the commonest runs need, for the node that runs this, into chunks/compiled/ beside
// the program. Whoever installs the program may run it, as the owner of its files; without it everything works, only slower.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Script } from 'node:vm';
import type * as AtOnce from '../src/cli/at-once.ts';
import type * as Main from '../src/cli/main.ts';
import type * as Real from '../src/cli/real.ts';
import { COMPILED, headOf, loader } from './load.ts';

const chunks = path.join(__dirname, 'chunks');
const KERNEL = '5.14.0-1.el9.x86_64';
const PRIMARY = `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
${entry('kpatch-patch-5_14_0-1', '1', 'kpatch-patch', 'kernel-uname-r')}${entry('kernel-core', '1.el9', 'kernel-uname-r', 'dracut')}</metadata>
`;

function entry(name: string, release: string, provides: string, requires: string): string {
  const one = (what: string) => `<rpm:entry name="${what}" flags="EQ" epoch="0" ver="${KERNEL}"/>`;
  return `<package type="rpm"><name>${name}</name><arch>x86_64</arch><version epoch="0" ver="5.14.0" rel="${release}"/>
<checksum type="sha256" pkgid="YES">${'0'.repeat(64)}</checksum><size package="1" installed="9" archive="9"/><location href="${name}.rpm"/>
<format><rpm:provides>${one(provides)}</rpm:provides><rpm:requires>${one(requires)}</rpm:requires></format></package>
`;
}

/** A root with one kernel, and a repository with a live patch for it. */
function makeRoot(place: string): void {
  const put = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(place, name)), { recursive: true });
    writeFileSync(path.join(place, name), text);
  };
  const sum = createHash('sha256').update(PRIMARY).digest('hex');
  put('repo/repodata/primary.xml', PRIMARY);
  put(
    'repo/repodata/repomd.xml',
    `<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary"><checksum type="sha256">${sum}</checksum><open-checksum type="sha256">${sum}</open-checksum><location href="repodata/primary.xml"/></data></repomd>\n`,
  );
  put('etc/yum.repos.d/a.repo', `[a]\nname=a\nbaseurl=file://${place}/repo\ngpgcheck=1\n`);
  put('etc/os-release', 'ID=rhel\nVERSION_ID="9"\n');
  put(`lib/modules/${KERNEL}/modules.builtin`, '');
}

const NOWHERE = { write: () => undefined, isTTY: false, columns: undefined, failed: null, flush: () => undefined };

/** Does something in this process and gives the compiled code of every file that took part. */
async function codeOf(act: (load: (wanted: string) => object) => unknown): Promise<Map<string, Buffer>> {
  const scripts = new Map<string, Script>();
  await act(loader({ directory: chunks, require, seen: (name, script) => scripts.set(name, script) }));
  return new Map([...scripts].map(([name, script]) => [name, script.createCachedData()]));
}

/** A command line of the program. */
const running =
  (...args: readonly string[]) =>
  async (load: (wanted: string) => object): Promise<void> => {
    const { main } = load('./program.cjs#main') as typeof Main;
    const { realSurroundings } = load('./program.cjs#real') as typeof Real;
    const status = await main(args, realSurroundings(NOWHERE, NOWHERE));
    if (status !== 0) throw new Error(`kpatch-pm ${args.join(' ')} ended with status ${status}`);
  };

/** One that is answered without the program. */
const answering =
  (...args: readonly string[]) =>
  (load: (wanted: string) => object): void => {
    const { answerAtOnce } = load('./at-once.cjs') as typeof AtOnce;
    if (!answerAtOnce(args, { stdout: NOWHERE, stderr: NOWHERE, env: {} })) throw new Error(`${args.join(' ')}?`);
  };

/** The files with what lies beside, in place of what an earlier call left: never half of them. */
function keep(codes: ReadonlyMap<string, Buffer>): void {
  const place = path.join(chunks, COMPILED);
  const next = `${place}.${process.pid}`;
  mkdirSync(next, { mode: 0o755 });
  // On disk before it counts: after a power cut there must not be code with holes in it.
  const written = (name: string, put: (fd: number) => void): void => {
    const fd = openSync(path.join(next, name), name === '.' ? 'r' : 'wx', 0o644);
    put(fd);
    fsyncSync(fd);
    closeSync(fd);
  };
  for (const [name, code] of codes) {
    written(name, (fd) => writeFileSync(fd, Buffer.concat([Buffer.from(`${headOf(code)}\n`), code])));
  }
  written('.', () => undefined);
  rmSync(place, { recursive: true, force: true });
  renameSync(next, place);
}

async function run(): Promise<void> {
  process.umask(0o022);
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpatch-pm-compile-'));
  try {
    makeRoot(scratch);
    const root = ['--installroot', scratch];
    // What is compiled is what ran: a status from the cache needs less code than the run that fills the cache.
    const filled = spawnSync(process.execPath, [path.join(__dirname, 'kpatch-pm.cjs'), ...root, 'makecache'], {
      encoding: 'utf8',
    });
    if (filled.status !== 0) throw new Error(filled.stderr);
    const looking = await codeOf(running(...root, 'status'));
    const changing = await codeOf(running(...root, '--refresh', 'install', '--dry-run'));
    // Whatever reaches a server loads this first; the made-up repository is none.
    const loading = await codeOf((load) => load('./package-undici.cjs'));
    keep(new Map([...changing, ...looking, ...loading, ...(await codeOf(answering('--help')))]));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

run().catch((error: Error) => {
  console.error(`Nothing was compiled: ${error.message}`);
  process.exitCode = 1;
});
