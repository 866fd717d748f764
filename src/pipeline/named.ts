// What was named on the command line: words become specs; package files and URLs become offers of their own, so that the
// same rules decide about them as about any other package. Their signatures are judged when they are taken.
import path from 'node:path';
import type { Fetched } from '../apply/fetch.ts';
import { sha256 } from '../apply/stage.ts';
import { parseSpecs, type Spec } from '../decide/spec.ts';
import { COMMAND_LINE, type OfferedPackage } from '../domain/package.ts';
import type { Plan, Unmatched } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import { packageFacts } from '../formats/rpm/facts.ts';
import { MAX_PACKAGE_BYTES, PACKAGES_IN_MEMORY, parseRpm } from '../formats/rpm/package.ts';
import type { Ui } from '../host/machine.ts';
import { readAll } from '../net/net.ts';
import type { NamedFile, Observed } from './observed.ts';
import { isModuleWord, type NamedModule, readOwnModule } from './own.ts';
import type { Request } from './request.ts';

/** The specs of a request. */
export function specsOf({ words = [], fixes = [] }: Request, world: World): Spec[] {
  const running = world.kernels.find((kernel) => kernel.running)?.release ?? null;
  return [...parseSpecs(words, running), ...fixes];
}

/** The observed world with the package files that were named on offer. Raises what reading and fetching them raises. */
export async function withNamedFiles(observed: Observed, request: Request): Promise<Observed> {
  const files = specsOf(request, observed.world).filter(({ kind }) => kind === 'file');
  if (files.length === 0) return observed;
  const named = new Map<string, NamedFile>();
  let room = PACKAGES_IN_MEMORY;
  const modules = new Map<string, NamedModule>();
  const offered: OfferedPackage[] = [];
  for (const { text } of files) {
    if (isModuleWord(text)) {
      modules.set(text, readOwnModule(observed, text, request));
      continue;
    }
    const directory = request.directory?.() ?? '/';
    const found = await read(observed, text, directory);
    const offer = asOffer(text, found.bytes);
    const kept = found.url !== null || found.bytes.length <= room;
    if (kept) room -= found.bytes.length;
    named.set(text, kept ? inMemory(found) : readAgain(offer, () => readFile(observed, text, directory).bytes));
    offered.push(offer);
  }
  const world = {
    ...observed.world,
    offered: [...offered, ...observed.world.offered],
    ownModules: [...modules.values()].map(({ own }) => own),
  };
  const bytes = new Map([...modules].map(([text, one]) => [text, one.bytes]));
  return { ...observed, world, named, modules: bytes };
}

async function read(observed: Observed, text: string, directory: string): Promise<Fetched> {
  const { net, config } = observed;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const opened = await net.open(text, { access: config.main, maxBytes: MAX_PACKAGE_BYTES, what: `package ${text}` });
    return { bytes: await readAll(opened.body), url: opened.url };
  }
  return readFile(observed, text, directory);
}

function readFile({ machine }: Observed, text: string, directory: string): Fetched {
  const bytes = machine.host.read(path.resolve(directory, text).slice(1), MAX_PACKAGE_BYTES);
  if (bytes !== null) return { bytes, url: null };
  throw new KpmError('file-unreadable', {
    text: `Can not load RPM file: ${text}. There is no such file.`,
    subject: text,
    hint: 'A package of a repository is named without the ending .rpm.',
  });
}

const inMemory = (file: Fetched): NamedFile => ({ read: () => file });

/** A file for which memory has no room: it is read again when it is taken, and must still be what was looked at. */
export function readAgain({ href, checksum }: OfferedPackage, read: () => Buffer | null): NamedFile {
  return {
    read: () => {
      const bytes = read();
      if (bytes !== null && sha256(bytes) === checksum?.value) return { bytes, url: null };
      throw new KpmError('package-mismatch', {
        text:
          bytes === null
            ? `${href} was there when this began, and cannot be read any more.`
            : `${href} was changed while this ran: it is not the file that was looked at.`,
        subject: href,
        hint: 'Run the same command again.',
      });
    },
  };
}

/** A package file as an offer of its own. Raises what parsing it raises. */
export function asOffer(text: string, bytes: Buffer): OfferedPackage {
  const pkg = parseRpm(bytes);
  const facts = packageFacts(pkg);
  const { name, epoch, version, release, arch } = pkg.nevra;
  if (pkg.source) {
    throw new KpmError('package-file-refused', {
      text: `${text} is a source package; a live patch is installed from its binary package.`,
      subject: text,
    });
  }
  return {
    name,
    epoch,
    version,
    release,
    arch,
    repo: COMMAND_LINE,
    href: text,
    base: null,
    size: bytes.length,
    installedSize: facts.files.reduce((sum, { size }) => sum + size, 0),
    buildTime: facts.buildTime,
    checksum: { type: 'sha256', value: sha256(bytes) },
    summary: facts.summary,
    provides: facts.provides,
    requires: facts.requires,
    conflicts: facts.conflicts,
    obsoletes: facts.obsoletes,
    files: facts.files.map((file) => file.path),
    excludedBy: null,
  };
}

/**
 * Tells what names nothing. Raises `no-match` where the verb is then not carried out: `install` when anything names
 * nothing, upgrade, downgrade and reinstall when everything does, as dnf has it; `remove` only tells.
 */
export function checkMatches(
  plan: Plan,
  request: Request,
  specs: readonly Spec[],
  ui: Ui,
  world: Pick<World, 'kernels'>,
): void {
  const unmatched = plan.unmatched ?? [];
  if (unmatched.length === 0) return;
  if (request.undo !== undefined) throw notUndone(unmatched);
  const { verb } = request;
  const fatal = verb === 'install' || (verb !== 'remove' && unmatched.length === specs.length);
  if (!fatal) {
    for (const { text } of unmatched) ui.warn(text);
    if (plan.actions.length === 0) ui.note('No packages marked for removal.');
    return;
  }
  for (const { text } of unmatched) ui.note(text);
  const kernel = world.kernels.find(({ release }) => unmatched.some(({ spec }) => spec === release))?.release;
  throw new KpmError('no-match', {
    text:
      verb === 'install'
        ? `Unable to find a match: ${unmatched.map(({ spec }) => spec).join(' ')}`
        : `No packages marked for ${verb}.`,
    subject: unmatched[0]?.spec,
    hint:
      kernel === undefined
        ? 'What is on offer: kpatch-pm list --available   For which kernels: kpatch-pm kernels'
        : `That is a kernel; what is on offer for it: kpatch-pm ${verb} --kernel ${kernel}`,
  });
}

/** Half of a run is not undone: every reason is told, and nothing is done. */
function notUndone([first, ...more]: readonly Unmatched[]): KpmError {
  return new KpmError('undo-impossible', {
    text: [first, ...more].map((one) => one?.text).join(' '),
    subject: first?.spec,
    hint: `What it was: kpatch-pm history info ${first?.spec}   One kernel alone: --kernel KVER`,
  });
}

/**
 * Raises `nothing-usable` where packages were named and every one of them is refused: the wish is not met, and a script must
 * notice. What was not named is only told (`Nothing to do.`).
 */
export function checkUsable(plan: Plan, specs: readonly Spec[]): void {
  if (!specs.some(({ kind }) => kind !== 'type' && kind !== 'severity') || plan.actions.length > 0) return;
  const refused = plan.skipped.find(({ because }) => because.code === 'all-rejected');
  if (refused === undefined) return;
  throw new KpmError('nothing-usable', {
    text: `Nothing that was named can be used for the kernel ${refused.kernel}: ${refused.because.text}.`,
    subject: specs[0]?.text,
    hint: 'Every level and its reason: the same command with --dry-run',
  });
}
