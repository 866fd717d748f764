// publish: a live patch of one's own into a repository.
import path from 'node:path';
import { type KernelRelease, kernelRelease } from '../../domain/kernel.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { publish } from '../../usecases/publish/publish.ts';
import type { PublishRequest } from '../../usecases/publish/request.ts';
import { usageError } from '../arguments.ts';
import type { Context } from '../context.ts';
import { clean } from '../render/clean.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { publishedJson, renderPublished } from '../render/publish.ts';

const wrong = (text: string): KpmError => usageError(text, 'publish');

export async function run(context: Context): Promise<number> {
  const { machine, ui, output, options } = context;
  const published = await publish(machine, asked(context), ui);
  if (options.flag('json')) output.out(jsonText(publishedJson({ ...published, error: null })));
  else if (!options.flag('quiet')) output.out(renderPublished(published));
  return EXIT.done;
}

/** What was typed, as a whole. Raises `usage`. */
function asked({ words, options, directory }: Context): PublishRequest {
  const [module, more] = words;
  const empty = options.flag('empty');
  if (more !== undefined) throw wrong(`publish takes one MODULE.ko, but was given ${clean(more)} too.`);
  if (empty && module !== undefined) throw wrong('--empty publishes a package without a module: name none.');
  if (!empty && module === undefined) throw wrong('publish needs MODULE.ko, or --empty.');
  const [kernel, second] = options.list('kernel');
  if (kernel === undefined) throw wrong('publish needs --kernel KVER: for which kernel was it made?');
  if (second !== undefined) throw wrong('A module is for one kernel: give --kernel once.');
  const release = options.value('release') ?? (empty ? '0' : null);
  if (release === null) throw wrong('publish needs --release R: the number of the level.');
  const sign = options.value('sign');
  if (sign === null) throw wrong('publish needs --sign KEY: a package that nobody signed is taken nowhere.');
  const repository = options.value('into');
  if (repository === null) throw wrong('publish needs --repo DIR: the directory of the repository.');
  const key = options.value('sign-module');
  const certificate = options.value('module-cert');
  if (certificate !== null && key === null) throw wrong('--module-cert belongs to --sign-module KEY.');
  if (key !== null && empty) throw wrong('--sign-module needs a module to sign.');
  const at = (file: string): string => path.posix.resolve(directory, file);
  return {
    module: module === undefined ? null : at(module),
    kernel: kernelRelease(kernel) as KernelRelease,
    version: options.value('patch-version') ?? (empty ? '0' : '1'),
    release,
    sign,
    repository: at(repository),
    cves: [...new Set(options.list('cve').map((cve) => cve.toUpperCase()))],
    texts: options.list('changelog'),
    moduleKey: key === null ? null : { key: at(key), certificate: at(certificate ?? key) },
    force: options.flag('force'),
  };
}

export function failureJson(error: KpmError): unknown {
  if (error.code === 'usage') return { format: JSON_FORMAT, error: errorJson(error) };
  return publishedJson({ error: errorJson(error) });
}
