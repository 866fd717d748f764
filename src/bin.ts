#!/usr/bin/env -S -u NODE_OPTIONS -u NODE_COMPILE_CACHE -u NODE_EXTRA_CA_CERTS -u NODE_PATH -u OPENSSL_CONF node
// The process: a clean environment, the real machine, the exit status. (The first line keeps within the 127 bytes that
// older kernels read; the rest of the list is in cli/environment.ts.)
import { mayAnswerAtOnce } from './cli/at-once-words.ts';
import { cleaned, removeUnsafe, unsafeAtStart } from './cli/environment.ts';
import { tooOldNode } from './cli/node-version.ts';
import { standardStream } from './host/standard.ts';

const [stdout, stderr] = [standardStream(1), standardStream(2)];

async function run(): Promise<number> {
  const old = tooOldNode(process.versions.node);
  if (old !== null) {
    stderr.write(old);
    return 1;
  }
  if (mayAnswerAtOnce(process.argv.slice(2))) {
    const { answerAtOnce } = await import('./cli/at-once.ts');
    if (answerAtOnce(process.argv.slice(2), { stdout, stderr, env: process.env })) return 0;
  }
  const { main } = await import('./cli/main.ts');
  const { realSurroundings } = await import('./cli/real.ts');
  return main(process.argv.slice(2), realSurroundings(stdout, stderr));
}

/** Starts the same command again without what node has already read; gives its exit status. */
async function startAgain(): Promise<number> {
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, process.argv.slice(1), { env: cleaned(process.env), stdio: 'inherit' });
  // A signal from the terminal reaches both; one sent to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? 1));
  });
}

const UNTOLD =
  'Free space where it goes, or send it elsewhere, and run the same command again. What was changed stays changed; `kpatch-pm history` tells it.';

/** Ends once everything printed has left; open connections must not hold the process. */
function finish(status: number): void {
  process.exitCode = status;
  stdout.flush(async () => {
    if (stdout.failed) {
      const { reasonOf } = await import('./host/failure.ts');
      stderr.write(`Error: The output could not be written: ${reasonOf(stdout.failed)}.\n  ${UNTOLD}\n`);
    }
    // Who asked was not told; where the work itself failed, that says more.
    const ended = stdout.failed && status === 0 ? 1 : status;
    stderr.flush(() => process.exit(ended));
  });
}

const again = unsafeAtStart(process.env).length > 0;
removeUnsafe(process.env);
(again ? startAgain() : run()).then(finish);
