// makecache: bring the metadata in the cache up to date.
import { EXIT, KpmError } from '../../errors.ts';
import { observe } from '../../pipeline.ts';
import { type Context, tellNotices } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText, repositoryJson } from '../render/json.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  tellNotices(ui, world);
  const { repositories } = world;
  if (repositories.length === 0) {
    throw new KpmError('repo-unavailable', {
      text: 'No repository is enabled, so there is no metadata to fetch.',
      hint: `Repository files are looked for in ${machine.root.show('etc/yum.repos.d')}; or name one: --repofrompath ID,URL`,
    });
  }
  if (options.flag('json')) {
    output.out(jsonText({ format: JSON_FORMAT, repositories: repositories.map(repositoryJson), error: null }));
  } else if (!options.flag('quiet')) {
    output.out('Metadata cache created.\n');
  }
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, repositories: [], error: errorJson(error) };
}
