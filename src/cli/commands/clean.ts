// clean: remove what is in the cache.
import { EXIT, type KpmError } from '../../errors.ts';
import { readConfig } from '../../observe/config/config.ts';
import { type CleanWhat, cleanCache, openCache } from '../../state/cache.ts';
import type { Context } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';

/** The words of the verb, dnf's among them. */
const WHAT: Record<string, CleanWhat> = {
  all: 'all',
  metadata: 'metadata',
  dbcache: 'metadata',
  packages: 'packages',
  'expire-cache': 'expire-cache',
};

export async function run({ machine, request, words, output, options }: Context): Promise<number> {
  const { main } = readConfig(machine.root, {
    ...request.config,
    hostRoot: machine.host,
    env: machine.env,
    arch: machine.arch,
    releaseOf: () => null,
  });
  const cache = openCache(machine, main);
  let removed = 0;
  for (const word of words.length > 0 ? words : ['all']) removed += cleanCache(cache, WHAT[word] as CleanWhat);
  if (options.flag('json')) output.out(jsonText({ format: JSON_FORMAT, removed, error: null }));
  else if (!options.flag('quiet')) output.out(`${removed} file${removed === 1 ? '' : 's'} removed\n`);
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, removed: 0, error: errorJson(error) };
}
