// bundle: make an archive for machines without a network, check one, install from one.
import path from 'node:path';
import { type KernelRelease, kernelRelease } from '../../domain/kernel.ts';
import { EXIT, KpmError } from '../../errors.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import { createBundle } from '../../usecases/bundle/create.ts';
import { installBundle, refuseRepositories } from '../../usecases/bundle/install.ts';
import { verifyBundle } from '../../usecases/bundle/verify.ts';
import { readKeyFiles } from '../../usecases/inspect/inspect.ts';
import { usageError } from '../arguments.ts';
import { type Context, tellNotices } from '../context.ts';
import { bundleJson, renderCreated, renderVerified } from '../render/bundle.ts';
import { clean } from '../render/clean.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { carried, failureJson as planFailureJson } from './change.ts';

export async function run(context: Context): Promise<number> {
  const [word, ...rest] = context.words;
  switch (word) {
    case 'create':
      return create(context, rest);
    case 'verify':
      return verify(context, rest);
    case 'install':
      return install(context, rest);
    default:
      throw wrong(`bundle knows create, verify and install, not ${clean(word ?? '')}.`);
  }
}

const wrong = (text: string): KpmError => usageError(text, 'bundle');

const ONLY_CREATE = ['all-levels', 'force'] as const;
const VALUES_OF_CREATE = ['sign', 'output'] as const;

/** The one file that follows. Raises `usage` for none, several, or options of `create`. */
function oneFile({ options, directory }: Context, word: string, words: readonly string[]): string {
  const [file, more] = words;
  if (file === undefined || more !== undefined) throw wrong(`bundle ${word} needs one FILE.`);
  const stranger =
    ONLY_CREATE.find((name) => options.flag(name)) ?? VALUES_OF_CREATE.find((name) => options.value(name) !== null);
  if (stranger) throw wrong(`--${stranger} belongs to bundle create, not to bundle ${word}.`);
  return path.posix.resolve(directory, file);
}

async function create(context: Context, rest: readonly string[]): Promise<number> {
  const { machine, request, options, ui, output, directory } = context;
  const file = options.value('output');
  if (rest.length > 0)
    throw wrong(`bundle create takes no words, but was given ${clean(rest[0] as string)}: -o FILE names the archive.`);
  if (file === null) throw wrong('bundle create needs -o FILE.');
  if (options.list('key').length > 0)
    throw wrong('--key belongs to bundle verify and bundle install; --sign KEY signs.');
  const kernels = options.list('kernel').map((release) => kernelRelease(release) as KernelRelease);
  if (kernels.length === 0) throw wrong('bundle create needs --kernel KVER: for which kernels shall it be?');
  const wish = {
    file: path.posix.resolve(directory, file),
    kernels,
    all: options.flag('all-levels'),
    sign: options.value('sign'),
    force: options.flag('force'),
  };
  const created = await createBundle(machine, request, wish, ui);
  tellNotices(ui, created.observed.world);
  if (options.flag('json')) output.out(jsonText(bundleJson(created)));
  else if (!options.flag('quiet')) output.out(renderCreated(created));
  return EXIT.done;
}

async function verify(context: Context, rest: readonly string[]): Promise<number> {
  const { machine, options, ui, output } = context;
  const file = oneFile(context, 'verify', rest);
  const verified = await verifyBundle(machine, file, keysOf(context), ui.note);
  const refused = verified.packages.find(({ problem }) => problem !== null);
  const error = refused
    ? new KpmError('bundle-package-refused', {
        text: `${refused.path} is refused: ${refused.problem?.text}`,
        subject: refused.path,
        hint: 'Do not install this bundle; have it made again from sound packages.',
      })
    : null;
  if (options.flag('json')) output.out(jsonText(bundleJson({ ...verified, error: error && errorJson(error) })));
  else if (!options.flag('quiet') || error) output.out(renderVerified(verified));
  if (error) ui.failure(error.message, error.hint);
  return error ? EXIT.failed : EXIT.done;
}

async function install(context: Context, rest: readonly string[]): Promise<number> {
  const { machine, request, ui } = context;
  const file = oneFile(context, 'install', rest);
  refuseRepositories(request);
  return carried(context, (approval) => installBundle(machine, request, file, keysOf(context), ui, approval));
}

/** The keys of --key; null where it is not given. */
function keysOf({ machine, options, directory }: Context): PublicKey[] | null {
  const keyFiles = options.list('key');
  return keyFiles.length === 0 ? null : readKeyFiles(machine, { keyFiles, directory });
}

export function failureJson(error: KpmError, context: Context): unknown {
  if (error.code === 'usage') return { format: JSON_FORMAT, error: errorJson(error) };
  if (context.words[0] === 'install') return planFailureJson(error, context);
  return bundleJson({ file: null, manifest: null, error: errorJson(error) });
}
