// repolist, repoinfo: where live patches come from.
import { isLivePatchName } from '../../decide/schemes/rhel.ts';
import { glob } from '../../domain/pattern.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { look } from '../../pipeline/observe.ts';
import type { Observed } from '../../pipeline/observed.ts';
import { type Context, tellNotices } from '../context.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { type RepositoryView, renderRepoinfo, renderRepolist, repositoriesJson } from '../render/repositories.ts';

export async function run({ machine, verb, words, request, ui, output, options }: Context): Promise<number> {
  const observed = await look(machine, verb === 'repolist' ? { ...request, cacheOnly: true } : request, ui);
  await observed.net.close();
  if (verb === 'repoinfo') tellNotices(ui, observed.world);
  else for (const { text } of observed.world.notices) ui.warn(text);
  const flag = (['all', 'disabled', 'enabled'] as const).find((name) => options.flag(name));
  const which = flag ?? (verb === 'repolist' ? (words[0] ?? 'enabled') : 'enabled');
  const all = which === 'all';
  const ids = verb === 'repoinfo' ? words : [];
  const views = viewsOf(observed).filter((one) =>
    ids.length > 0 ? ids.some((id) => glob(id)(one.id)) : all || one.enabled === (which === 'enabled'),
  );
  if (ids.length > 0 && views.length === 0) {
    throw new KpmError('no-match', {
      text: `No repository matches ${ids.join(' ')}.`,
      subject: ids[0],
      hint: 'See: kpatch-pm repolist --all',
    });
  }
  if (options.flag('json')) output.out(jsonText(repositoriesJson(views)));
  // dnf prints the same for `repolist -v`.
  else if (views.length > 0 && (verb === 'repoinfo' || options.flag('verbose'))) output.out(renderRepoinfo(views));
  else if (views.length === 0) ui.note('No repositories available');
  else output.out(renderRepolist(views, all, output.outStyle));
  return EXIT.done;
}

function viewsOf({ config, snapshots }: Observed): RepositoryView[] {
  const enabled = config.repos.map((repo, n): RepositoryView => {
    const snapshot = snapshots[n];
    const patches = snapshot?.packages.filter(({ name }) => isLivePatchName(name)) ?? [];
    return {
      ...about(repo, true),
      state: snapshot?.state ?? null,
      inUse: snapshot?.baseurl ?? null,
      livePatches: patches.length,
      hidden: patches.filter(({ excludedBy }) => excludedBy !== null).length,
    };
  });
  const disabled = config.disabled.map(
    (repo): RepositoryView => ({ ...about(repo, false), state: null, inUse: null, livePatches: 0, hidden: 0 }),
  );
  return [...enabled, ...disabled].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function about(repo: Observed['config']['repos'][number], enabled: boolean) {
  const { id, name, baseurl, mirrorlist, metalink, priority, cost, gpgkey, metadataExpire, origin } = repo;
  return {
    id,
    name,
    enabled,
    baseurl,
    mirrorlist,
    metalink,
    priority,
    cost,
    gpgkey,
    metadataExpire,
    file: origin.file,
  };
}

export function failureJson(error: KpmError): unknown {
  return repositoriesJson([], errorJson(error));
}
