// makecache: bring the metadata in the cache up to date.
import type { World } from '../../domain/world.ts';
import { type ErrorCode, EXIT, KpmError } from '../../errors.ts';
import type { Machine } from '../../host/machine.ts';
import { observe } from '../../pipeline.ts';
import { type Context, tellNotices } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText, repositoryJson } from '../render/json.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  // Elsewhere a warning; here it is what was asked for, and did not happen.
  const lost = world.notices.filter(({ text }) => text.startsWith(NOT_KEPT));
  tellNotices(ui, { ...world, notices: world.notices.filter((notice) => !lost.includes(notice)) });
  const { repositories } = world;
  needRepositories(machine, world, 'there is no metadata to fetch');
  const [first] = lost;
  if (first) {
    throw new KpmError(first.code as ErrorCode, {
      text: first.text,
      hint: 'The metadata could be fetched. Correct that (who owns the directory, whether it can be written to) and run the same command again, as root.',
    });
  }
  if (options.flag('json')) {
    output.out(jsonText({ format: JSON_FORMAT, repositories: repositories.map(repositoryJson), error: null }));
  } else if (!options.flag('quiet')) {
    output.out('Metadata cache created.\n');
  }
  return EXIT.done;
}

/** How the notice of a cache that could not be written begins. */
const NOT_KEPT = 'The cache cannot be kept: ';

/** Raises `repo-unavailable` where no repository is enabled; `so` says what follows from that. */
export function needRepositories(machine: Machine, world: World, so: string): void {
  if (world.repositories.length > 0) return;
  throw new KpmError('repo-unavailable', {
    text: `No repository is enabled, so ${so}.`,
    hint: `Repository files are looked for in ${machine.root.show('etc/yum.repos.d')}; or name one: --repofrompath ID,URL`,
  });
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, repositories: [], error: errorJson(error) };
}
