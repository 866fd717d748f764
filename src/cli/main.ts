// The command line: arguments in, exit status out. Loads only what the verb at hand needs.
import { EXIT, type KpmError } from '../errors.ts';
import { Interruption } from '../host/interruption.ts';
import { parseArguments } from './arguments.ts';
import { commandLine } from './command-line.ts';
import * as status from './commands/status.ts';
import { type Context, requestFor } from './context.ts';
import { asKpmError, failureText } from './failure.ts';
import { refuseOwnOpenssl } from './fips.ts';
import type { Options } from './options.ts';
import { type Output, outputTo } from './output.ts';
import { errorForThisRoot, hintForThisRoot, textForThisRoot } from './root-command.ts';
import { machineFor, type Surroundings } from './surroundings.ts';
import { terminalUi } from './ui.ts';
import { type VerbName, verbOf } from './verbs.ts';
import { VERSION } from './version.ts';

/** What a verb's module exports. */
interface Command {
  /** Does it; gives the exit status. */
  run(context: Context): Promise<number>;
  /** The object `--json` prints when nothing came of it. */
  failureJson(error: KpmError, context: Context): unknown;
  /** Exit status of a failed run, where 1 is an answer of the verb. */
  readonly failureStatus?: number;
}

const COMMANDS: Record<VerbName, () => Promise<Command>> = {
  // What most runs need is loaded with this file (packaging/build.mjs).
  status: async () => status,
  auto: () => import('./commands/change.ts'),
  install: () => import('./commands/change.ts'),
  upgrade: () => import('./commands/change.ts'),
  downgrade: () => import('./commands/change.ts'),
  reinstall: () => import('./commands/change.ts'),
  remove: () => import('./commands/change.ts'),
  autoremove: () => import('./commands/change.ts'),
  'check-update': () => import('./commands/check-update.ts'),
  list: () => import('./commands/list.ts'),
  info: () => import('./commands/list.ts'),
  search: () => import('./commands/search.ts'),
  provides: () => import('./commands/provides.ts'),
  download: () => import('./commands/download.ts'),
  repolist: () => import('./commands/repolist.ts'),
  repoinfo: () => import('./commands/repolist.ts'),
  manual: () => import('./commands/change.ts'),
  'auto-filter': () => import('./commands/change.ts'),
  'no-filter': () => import('./commands/change.ts'),
  kernels: () => import('./commands/kernels.ts'),
  verify: () => import('./commands/verify.ts'),
  cves: () => import('./commands/cves.ts'),
  updateinfo: () => import('./commands/updateinfo.ts'),
  'needs-reboot': () => import('./commands/needs-reboot.ts'),
  report: () => import('./commands/report.ts'),
  metrics: () => import('./commands/metrics.ts'),
  bundle: () => import('./commands/bundle.ts'),
  publish: () => import('./commands/publish.ts'),
  inspect: () => import('./commands/inspect.ts'),
  keys: () => import('./commands/keys.ts'),
  module: () => import('./commands/module.ts'),
  quarantine: () => import('./commands/quarantine.ts'),
  machine: () => import('./commands/machine.ts'),
  history: () => import('./commands/history.ts'),
  doctor: () => import('./commands/doctor.ts'),
  boot: () => import('./commands/boot.ts'),
  service: () => import('./commands/service.ts'),
  veto: () => import('./commands/veto.ts'),
  makecache: () => import('./commands/makecache.ts'),
  clean: () => import('./commands/clean.ts'),
  completion: () => import('./commands/completion.ts'),
};

/** Verbs that verify nothing; doctor says what is the matter. */
const WITHOUT_CRYPTOGRAPHY: readonly VerbName[] = ['doctor', 'completion', 'clean'];

/** Runs one command line (the arguments after the program's name); gives the exit status of contract section 3. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
  if (args[0] === 'hook') return (await import('./hook.ts')).hook(args.slice(1), surroundings);
  const output = outputTo(surroundings.stdout, surroundings.stderr, surroundings.env, null);
  if (await answerAtOnce(args, output)) return EXIT.done;
  try {
    const { verb, words, options } = parseArguments(args);
    if (options.flag('version')) return print(output, versionText());
    if (options.flag('help') || verb === null) return print(output, await helpText(verb, output));
    return await perform(verb, words, options, surroundings, commandLine(args));
  } catch (thrown) {
    const error = asKpmError(thrown);
    if (askedForJson(args)) await printFailure(output, error);
    output.err(failureText(error, output.errStyle, false));
    return error.exit;
  }
}

const versionText = (): string => `kpatch-pm ${VERSION}\n`;

async function helpText(verb: string | null, output: Output): Promise<string> {
  const { generalHelp, verbHelp } = await import('./help.ts');
  const spec = verb === null ? null : verbOf(verb);
  return spec ? verbHelp(spec, output.outStyle.width) : generalHelp(output.outStyle.width);
}

function print(output: Output, text: string): number {
  output.out(text);
  return EXIT.done;
}

/** The plain forms of --version and --help, answered before the parser is loaded. */
async function answerAtOnce(args: readonly string[], output: Output): Promise<boolean> {
  const [first = '', second = '', ...more] = args;
  if (more.length > 0) return false;
  const help = ['--help', '-h', 'help'];
  if (first === '--version' && second === '') output.out(versionText());
  else if (help.includes(first) && second === '') output.out(await helpText(null, output));
  else if (help.includes(first) && verbOf(second)) output.out(await helpText(second, output));
  else if (help.slice(0, 2).includes(second) && verbOf(first)) output.out(await helpText(first, output));
  else return false;
  return true;
}

function askedForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** A failure before the verb was known. */
async function printFailure(output: Output, error: KpmError): Promise<void> {
  const { errorJson, JSON_FORMAT, jsonText } = await import('./render/json.ts');
  output.out(jsonText({ format: JSON_FORMAT, error: errorJson(error) }));
}

async function perform(
  verb: VerbName,
  words: readonly string[],
  options: Options,
  surroundings: Surroundings,
  typed: string,
): Promise<number> {
  const { stdout, stderr, env, now, interrupt, interruptAgain } = surroundings;
  const output = outputTo(stdout, stderr, env, options);
  const interruption = new Interruption(interrupt, interruptAgain, (text) => output.err(`${text}\n`));
  const machine = { ...machineFor(surroundings, options), interruption };
  const request = { ...requestFor(verb, options, words, () => surroundings.directory), commandLine: typed };
  const terminal = terminalUi(output, () => surroundings.stdin, options, now);
  const sofar: Context['sofar'] = { plan: null, hints: new Map() };
  const context: Context = {
    verb,
    words,
    options,
    get directory() {
      return surroundings.directory;
    },
    machine,
    request,
    output,
    ui: {
      ...terminal,
      note: (text) => terminal.note(textForThisRoot(text, options)),
      warn: (text) => terminal.warn(textForThisRoot(text, options)),
      detail: (text) => terminal.detail(textForThisRoot(text, options)),
      failure(text, hint) {
        const told = hintForThisRoot(hint, options);
        sofar.hints.set(text, told);
        terminal.failure(textForThisRoot(text, options), told);
      },
    },
    node: surroundings,
    sofar,
  };
  const command = await COMMANDS[verb]();
  try {
    if (!WITHOUT_CRYPTOGRAPHY.includes(verb)) refuseOwnOpenssl(surroundings, machine.host);
    return await Promise.race([command.run(context), interruption.ended]);
  } catch (thrown) {
    const error = errorForThisRoot(asKpmError(thrown), options);
    if (options.flag('json')) {
      const { jsonText } = await import('./render/json.ts');
      output.out(jsonText(command.failureJson(error, context)));
    }
    output.err(failureText(error, output.errStyle, options.flag('verbose')));
    return error.exit === EXIT.failed ? (command.failureStatus ?? error.exit) : error.exit;
  }
}
