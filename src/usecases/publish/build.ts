// One package by rpmbuild and rpmsign, in a directory of its own.
import { packagedModules, readLivePatch } from '../../apply/extract.ts';
import type { OwnPackage } from '../../decide/publish.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import { KpmError } from '../../errors.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import { MAX_PACKAGE_BYTES, type RpmPackage } from '../../formats/rpm/package.ts';
import type { Machine } from '../../host/machine.ts';
import { type Change, specText } from './spec.ts';
import { tool } from './tools.ts';
import { inWorkshop } from './workshop.ts';

export interface Building {
  readonly pkg: OwnPackage;
  /** Null for an empty package. */
  readonly module: Buffer | null;
  readonly changes: readonly Change[];
  /** Its secret half signs, in gpg. */
  readonly key: PublicKey;
}

/** Where large things are made: /tmp may be memory. */
const PARENT = 'var/tmp';

/** The bytes of the signed package. Raises `publish-failed`. */
export function buildPackage(machine: Machine, { pkg, module, changes, key }: Building): Promise<Buffer> {
  const { host } = machine;
  return inWorkshop(host, PARENT, async (place) => {
    const at = (name: string): string => host.show(`${place}/${name}`);
    if (module) host.write(`${place}/module.ko`, module, { mode: 0o600, durable: false });
    const packager = key.owner || key.fingerprint;
    host.write(`${place}/package.spec`, specText({ pkg, source: module ? at('module.ko') : null, packager, changes }), {
      durable: false,
    });
    const { name, version, release, arch } = pkg.nevra;
    const file = `${name}-${version}-${release}.${arch}.rpm`;
    const macros: Readonly<Record<string, string>> = {
      _topdir: host.show(place),
      _rpmdir: at('out'),
      _tmppath: host.show(place),
      _build_name_fmt: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
      // One thread: the same module gives the same payload.
      _binary_payload: 'w6.xzdio',
      optflags: '-O2',
      ...(arch === 'ppc64le' ? { __isa: 'ppc-64', _isa: '(ppc-64)' } : {}),
    };
    const target = ['--target', `${arch}-redhat-linux`];
    // Macros of the person's home must not change the package; its keyring is needed for signing only.
    await tool(machine, 'rpmbuild', ['-bb', '--quiet', '--nodeps', ...target, ...defines(macros), at('package.spec')], {
      env: { HOME: host.show(place) },
    });
    const keyring = machine.env.GNUPGHOME ? { _gpg_path: machine.env.GNUPGHOME } : {};
    // rpm starts gpg by this very path, with no search.
    const gpg = machine.run.which('gpg') as string;
    const signing = { __gpg: gpg, _gpg_name: key.fingerprint, _gpg_digest_algo: 'sha256', ...keyring };
    await tool(machine, 'rpmsign', [...defines(signing), '--addsign', at(`out/${file}`)]);
    const bytes = host.read(`${place}/out/${file}`, MAX_PACKAGE_BYTES);
    if (bytes !== null) return bytes;
    throw new KpmError('publish-failed', { text: `rpmbuild did not make ${file}.`, subject: 'rpmbuild' });
  });
}

const defines = (macros: Readonly<Record<string, string>>): string[] =>
  Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);

/** The functions that the modules of an earlier level patch; none where it cannot be read: it lies there, and is not ours to judge. */
export async function earlierFunctions({ run }: Machine, before: RpmPackage, kernel: KernelRelease): Promise<string[]> {
  try {
    const modules = packagedModules(before, await readLivePatch(before, run.filter), kernel);
    return modules.flatMap(({ facts }) => facts.functions.map(({ object, name }) => `${object}:${name}`));
  } catch (error) {
    if (error instanceof KpmError) return [];
    throw error;
  }
}
