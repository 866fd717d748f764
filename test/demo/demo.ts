// npm run demo: the built program against the fixture repository, over real HTTP, in a scratch root. Needs only Node.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { KERNELS, scratchRoot, serveFixtures } from '../support/fixtures.ts';
import { top } from '../support/top.ts';

/** Runs a program with its output on ours; gives the exit status. Not the synchronous kind: the server lives in this process. */
function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: top, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
}

/** Every file below a directory, `path sha256`, sorted. */
function tree(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(path.join(directory, name)).isFile())
    .map(
      (name) =>
        `${name}  ${createHash('sha256')
          .update(readFileSync(path.join(directory, name)))
          .digest('hex')}`,
    )
    .sort();
}

function check(holds: boolean, what: string): void {
  console.log(`${holds ? 'ok    ' : 'FAILED'}  ${what}`);
  if (!holds) process.exitCode = 1;
}

async function demonstrate(): Promise<void> {
  console.log('$ node packaging/build.mjs');
  if ((await run(process.execPath, ['packaging/build.mjs'])) !== 0) throw new Error('the program could not be built');
  const server = await serveFixtures();
  const root = scratchRoot({ url: server.url });
  const program = path.join(top, 'dist', 'kpatch-pm.cjs');
  const kpatchPm = async (...words: string[]): Promise<void> => {
    console.log(`\n$ kpatch-pm --installroot ${root.path} ${words.join(' ')}`);
    const status = await run(process.execPath, [program, '--installroot', root.path, ...words]);
    console.log(`(exit status ${status})`);
    check(status === 0, `${words.join(' ')} succeeded`);
  };
  try {
    console.log(`\nThe fixture repository is served at ${server.url}, the root is ${root.path}.`);
    console.log(`Its kernels:\n  ${Object.values(KERNELS).join('\n  ')}`);
    await kpatchPm('status');
    await kpatchPm('auto', '-y');
    const modules = tree(root.at('var/lib/kpatch'));
    await kpatchPm('status');
    await kpatchPm('auto', '-y');

    console.log('\nBelow var/lib/kpatch:');
    for (const line of modules) console.log(`  ${line}`);
    console.log('');
    const wanted = `${KERNELS.K1}/kpatch-5_14_0-427_13_1-1-2.ko`;
    check(modules.length === 1 && modules[0]?.split('  ')[0] === wanted, `the one module is ${wanted}`);
    check(tree(root.at('var/lib/kpatch')).join() === modules.join(), 'the second auto changed nothing there');
    const settings = readFileSync(root.at('etc/dnf/plugins/kpatch.conf'), 'utf8');
    check(/^autoupdate\s*=\s*True$/m.test(settings), 'kpatch.conf says autoupdate = True');
    check(settings.includes('this comment has to survive'), 'the comments of kpatch.conf are still there');
  } finally {
    await server.close();
    root.remove();
  }
}

await demonstrate();
