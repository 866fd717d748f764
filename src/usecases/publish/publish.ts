// publish: the vendor-shaped package around a live patch of one's own, signed, in a repository that dnf, rpm, the kpatch
// utility and kpatch-pm take as they take the vendor's. The real tools make it; what they made is held against what
// an installation would ask of it before it is put among the others.
import { extractModules } from '../../apply/extract.ts';
import { verifySigned } from '../../apply/verify.ts';
import { buildName, moduleProblem, type OwnPackage, ownPackage } from '../../decide/publish.ts';
import { compareEvr } from '../../domain/evr.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import { formatNevra, type Nevra, sameNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import { MAX_MODULE, type ModuleFacts, moduleFacts } from '../../formats/elf/module.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import { parseRpm, type RpmPackage } from '../../formats/rpm/package.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { signingKey } from '../gpg.ts';
import { advisoryId, advisoryXml, merged } from './advisory.ts';
import { buildPackage } from './build.ts';
import { changelog, cvesOf, isVouchedFor, tellLost } from './earlier.ts';
import { addPackage, PACKAGES, publishedAdvisories, publishedPackages } from './repository.ts';
import type { PublishRequest } from './request.ts';
import { signModule } from './sign-module.ts';
import { needPrograms } from './tools.ts';
import { inTurn } from './turn.ts';

export interface Published {
  readonly nevra: Nevra;
  readonly kernel: KernelRelease;
  /** Name in sysfs; null for an empty package. */
  readonly module: string | null;
  /** Absolute paths on the host. */
  readonly file: string;
  readonly repository: string;
  readonly keyFile: string;
  readonly signer: { readonly fingerprint: string; readonly owner: string };
  /** Who signed the module for Secure Boot; null: nobody. */
  readonly moduleSigner: string | null;
  readonly advisory: string;
  /** All that the level fixes, those of the levels before too. */
  readonly cves: readonly string[];
  /** The highest level that lay there before; null: none. */
  readonly replaces: Nevra | null;
}

/** Publishes a level. Raises `program-missing`, `publish-refused`, `publish-failed`, `signing-failed`, `file-exists`, `file-unreadable`. */
export async function publish(machine: Machine, request: PublishRequest, ui: Ui): Promise<Published> {
  const signs = request.moduleKey ? ['openssl'] : [];
  needPrograms(machine, ['flock', 'rpmbuild', 'rpmsign', 'gpg', 'createrepo_c', 'modifyrepo_c', ...signs]);
  const pkg = shape(request);
  const module = request.module === null ? null : await readModule(machine, request, pkg, ui);
  const key = await signingKey(machine, request.sign);
  const repository = request.repository.slice(1);
  return inTurn(machine, repository, ui, () => added(machine, { request, pkg, module, key }, repository, ui));
}

interface Level {
  readonly request: PublishRequest;
  readonly pkg: OwnPackage;
  readonly module: Module | null;
  readonly key: PublicKey;
}

/** The package and its advisory among those of the repository. */
async function added(
  machine: Machine,
  { request, pkg, module, key }: Level,
  repository: string,
  ui: Ui,
): Promise<Published> {
  const { host } = machine;
  const lying = publishedPackages(machine, repository, pkg.nevra.name);
  const before = highest(lying.map((one) => one.pkg));
  checkLevel(pkg, before, request);
  if (module && before) await tellLost(machine, before, module.facts, pkg.kernel, ui);
  const advisory = advisoryXml({
    pkg,
    cves: request.cves,
    text: description(request, pkg),
    now: machine.now(),
    from: key.owner,
  });
  const updateinfo = merged(await publishedAdvisories(machine, repository), advisoryId(pkg), advisory);
  const carried = before && (await isVouchedFor(machine, before, key, ui)) ? before : null;
  const changes = changelog(request, pkg, key, carried, machine.now());
  const bytes = await buildPackage(machine, { pkg, module: module?.bytes ?? null, changes, key });
  const built = await proven(machine, bytes, pkg, key);
  const file = `${repository}/${PACKAGES}/${pkg.nevra.name}-${pkg.nevra.version}-${pkg.nevra.release}.${pkg.nevra.arch}.rpm`;
  const keyFile = `${repository}/RPM-GPG-KEY-${key.fingerprint.slice(-16)}`;
  const replaced = lying.filter((one) => sameNevra(one.pkg.nevra, pkg.nevra)).map((one) => one.file);
  await addPackage(machine, repository, { file, bytes, replaced, updateinfo, key, keyFile }, ui);
  return {
    nevra: pkg.nevra,
    kernel: pkg.kernel,
    module: pkg.module?.name ?? null,
    file: host.show(file),
    repository: host.show(repository),
    keyFile: host.show(keyFile),
    signer: { fingerprint: key.fingerprint, owner: key.owner },
    moduleSigner: module ? (module.facts.signature?.signer ?? module.facts.signature?.keyid ?? null) : null,
    advisory: advisoryId(pkg),
    cves: cvesOf(built),
    replaces: before?.nevra ?? null,
  };
}

function refused(request: PublishRequest, why: string, hint?: string): KpmError {
  const what = request.module ?? 'An empty package';
  return new KpmError('publish-refused', {
    text: `${what} cannot be published for ${request.kernel}: ${why}.`,
    subject: request.module ?? request.kernel,
    hint: hint ?? (request.module ? `Look at it: kpatch-pm inspect ${request.module}` : undefined),
  });
}

function shape(request: PublishRequest): OwnPackage {
  const pkg = ownPackage(request.kernel, request, request.module === null);
  if ('problem' in pkg) throw refused(request, pkg.problem, 'See: kpatch-pm publish --help');
  return pkg;
}

interface Module {
  readonly bytes: Buffer;
  readonly facts: ModuleFacts;
}

/** The module, signed where that is wanted, if it can be the one of this package. */
async function readModule(machine: Machine, request: PublishRequest, pkg: OwnPackage, ui: Ui): Promise<Module> {
  const file = request.module as string;
  const read = machine.host.read(file.slice(1), MAX_MODULE);
  if (read === null)
    throw new KpmError('file-unreadable', {
      text: `${file} does not exist.`,
      subject: file,
      hint: 'Name the module file (.ko).',
    });
  const facts = factsOf(request, read);
  const problem = moduleProblem(facts, pkg);
  if (problem !== null) {
    const named = facts.name === pkg.module?.name;
    throw refused(
      request,
      problem,
      named
        ? undefined
        : `Build it under that name: kpatch-build -n ${buildName(pkg)} ... (klp-build: -o ${buildName(pkg)}.ko)`,
    );
  }
  if (request.moduleKey === null) return { bytes: read, facts };
  if (facts.signature) ui.note(`The signature that ${file} has is replaced.`);
  const bytes = await signModule(machine, read, request.moduleKey);
  return { bytes, facts: moduleFacts(bytes) };
}

function factsOf(request: PublishRequest, bytes: Buffer): ModuleFacts {
  try {
    return moduleFacts(bytes);
  } catch (error) {
    if (error instanceof KpmError)
      throw refused(request, error.message.replace(/^The file /, 'it ').replace(/\.$/, ''));
    throw error;
  }
}

const highest = (packages: readonly RpmPackage[]): RpmPackage | null =>
  [...packages].sort((a, b) => compareEvr(b.nevra, a.nevra))[0] ?? null;

/** Levels only go up: whoever has a higher one would never take this. */
function checkLevel(pkg: OwnPackage, before: RpmPackage | null, request: PublishRequest): void {
  if (before === null || request.force) return;
  const order = compareEvr(pkg.nevra, before.nevra);
  if (order > 0) return;
  const there = formatNevra(before.nevra);
  if (order === 0) {
    throw new KpmError('file-exists', {
      text: `${there} lies in ${request.repository} already and is not overwritten.`,
      subject: there,
      hint: 'Publish what changed as the next release. --force replaces it; who has installed it keeps the old bytes.',
    });
  }
  throw refused(
    request,
    `${request.repository} has the higher level ${there}, and levels only go up`,
    'Give it a higher --release; --force publishes it all the same.',
  );
}

function description(request: PublishRequest, pkg: OwnPackage): string {
  return request.texts.length > 0 ? request.texts.join('\n') : pkg.summary;
}

/** What was made, judged as an installation judges it. Raises `publish-failed`. */
async function proven(machine: Machine, bytes: Buffer, pkg: OwnPackage, key: PublicKey): Promise<RpmPackage> {
  try {
    const rpm = parseRpm(bytes);
    if (formatNevra(rpm.nevra) !== formatNevra(pkg.nevra))
      throw new KpmError('package-renamed', { text: `rpmbuild made ${formatNevra(rpm.nevra)}.` });
    const signed = verifySigned(rpm, { keys: [key], allowUnsigned: false, now: machine.now() });
    const { modules } = await extractModules(signed, pkg.kernel, machine.run.filter);
    if (modules.map(({ module }) => module).join() === (pkg.module?.name ?? '')) return rpm;
    throw new KpmError('module-missing', { text: 'The package does not hold the module.' });
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    throw new KpmError('publish-failed', {
      text: `What rpmbuild and rpmsign made would not be taken: ${error.reason}`,
      subject: formatNevra(pkg.nevra),
      hint: 'Nothing was published. Macros of rpm on this machine may change what is built: see rpm --showrc.',
      cause: error,
    });
  }
}
