// Running the build's own programs: loud about failure.
import { execFileSync } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly input?: Buffer;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end and gives its stdout; raises with its stderr when it fails. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Buffer {
  try {
    return execFileSync(program, args, {
      cwd: options.cwd,
      input: options.input,
      env: options.env ?? process.env,
      stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 30,
    });
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: Buffer; stdout?: Buffer };
    const said = `${stderr ?? ''}${stdout ?? ''}`.trim().split('\n').slice(-20).join('\n');
    throw new Error(`${program} ${args.join(' ')} failed:\n${said}`);
  }
}
