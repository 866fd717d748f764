// The levels before: what a new one carries on of them, and what it would undo.
import { verifyPackage } from '../../apply/verify.ts';
import type { OwnPackage } from '../../decide/publish.ts';
import { compareEvr } from '../../domain/evr.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import type { ModuleFacts } from '../../formats/elf/module.ts';
import { mergeKeys, type PublicKey } from '../../formats/openpgp/index.ts';
import { packageFacts } from '../../formats/rpm/facts.ts';
import type { RpmPackage } from '../../formats/rpm/package.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { trustedKeys } from '../../state/keys.ts';
import { earlierFunctions } from './build.ts';
import type { PublishRequest } from './request.ts';
import type { Change } from './spec.ts';

/**
 * Whether the changelog of the level before may be carried on: it becomes a signed word on what is fixed, so whoever can write
 * into the directory must not be able to put words into it.
 */
export async function isVouchedFor(machine: Machine, before: RpmPackage, key: PublicKey, ui: Ui): Promise<boolean> {
  const trusted = await trustedKeys(machine.root, machine.run);
  const keys = mergeKeys([key, ...trusted.keys.map((one) => one.key)]);
  try {
    verifyPackage(before, { keys, allowUnsigned: false, now: machine.now() });
    return true;
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    ui.warn(
      `${formatNevra(before.nevra)} is not signed by this key or one that this system trusts (${error.code}): its changelog is not carried on. Name all that is fixed with --cve.`,
    );
    return false;
  }
}

/** A level takes the place of the one before: what that one patched and this does not would come undone. */
export async function tellLost(
  machine: Machine,
  before: RpmPackage,
  facts: ModuleFacts,
  kernel: KernelRelease,
  ui: Ui,
): Promise<void> {
  const now = new Set(facts.functions.map(({ object, name }) => `${object}:${name}`));
  const lost = (await earlierFunctions(machine, before, kernel)).filter((one) => !now.has(one));
  if (lost.length === 0) return;
  ui.warn(
    `${formatNevra(before.nevra)} patches ${lost.slice(0, 10).join(', ')}${lost.length > 10 ? ` and ${lost.length - 10} more` : ''}, and this module does not. A level takes the place of the one before: levels must be cumulative.`,
  );
}

/** The entry of this level, in the vendor's form: one line a CVE, the CVE in braces at its end; then all earlier ones. */
export function changelog(
  request: PublishRequest,
  pkg: OwnPackage,
  key: PublicKey,
  before: RpmPackage | null,
  now: Date,
): Change[] {
  const earlier = before && compareEvr(before.nevra, pkg.nevra) < 0 ? packageFacts(before).changelog : [];
  const { version, release } = pkg.nevra;
  const text =
    request.texts[0] ??
    (pkg.module === null ? `An empty patch to subscribe to the stream of ${pkg.kernel}` : 'live patch');
  const rest = request.texts.slice(1).map((line) => `- ${line}`);
  const lines = request.cves.length > 0 ? request.cves.map((cve) => `- kernel: ${text} {${cve}}`) : [`- ${text}`];
  // rpmbuild wants days that do not go back, whatever the clock says.
  const time = Math.max(Math.floor(now.getTime() / 1000), earlier[0]?.time ?? 0);
  const author = `${key.owner || key.fingerprint} [${version}-${release}]`;
  return [{ time, author, text: [...lines, ...rest].join('\n') }, ...earlier];
}

/** Every CVE of a package's changelog. */
export function cvesOf(rpm: RpmPackage): string[] {
  const texts = packageFacts(rpm).changelog.map(({ text }) => text);
  return [...new Set(texts.flatMap((text) => text.match(/CVE-\d{4}-\d{4,}/g) ?? []))].sort();
}
