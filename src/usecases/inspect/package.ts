// Inspecting a package file: everything that would be checked before installing it, without stopping at the first fault.
import { type FoundModule, packagedModules, readLivePatch } from '../../apply/extract.ts';
import { type JudgedSignature, judgeSignatures, verifyPackage } from '../../apply/verify.ts';
import { isLivePatchName, targetOf } from '../../decide/schemes/rhel.ts';
import type { Problem } from '../../domain/because.ts';
import { kernelRelease } from '../../domain/kernel.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import { sniff } from '../../formats/codec/sniff.ts';
import { checkDigests } from '../../formats/rpm/digests.ts';
import { type PackageFacts, packageFacts } from '../../formats/rpm/facts.ts';
import { type HeaderFile, isRegular } from '../../formats/rpm/files.ts';
import { changelogFixes, cvesOf } from '../../formats/rpm/fixes.ts';
import { parseRpm, type RpmPackage } from '../../formats/rpm/package.ts';
import { type PayloadEntry, readPayload } from '../../formats/rpm/payload.ts';
import { inKeyring } from '../../host/keyring.ts';
import { streamOf } from '../../pipeline/pins.ts';
import type {
  Authenticity,
  InspectedFile,
  InspectedLivepatch,
  InspectedSignature,
  Inspection,
  PinVerdict,
} from './inspection.ts';
import { blank } from './inspection.ts';
import { type Judges, problemOf } from './judges.ts';
import { functionsOf } from './module.ts';

const MODULES = '/usr/lib/kpatch/';

/** Inspects the bytes of a file that starts as a package. Raises nothing that is the package's fault. */
export async function inspectPackage(file: string, bytes: Buffer, judges: Judges): Promise<Inspection> {
  const refusals: Problem[] = [];
  const attempt = async <T>(act: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await act();
    } catch (error) {
      refusals.push(problemOf(error));
      return null;
    }
  };
  const pkg = await attempt(() => parseRpm(bytes));
  if (pkg === null) {
    const kind = bytes.readUInt16BE(6) === 1 ? 'source-rpm' : 'rpm';
    return { ...blank(file), kind, authentic: 'bad', authenticBecause: refusals[0] ?? null, refusals };
  }
  const digests = (await attempt(() => checkDigests(pkg))) ?? [];
  for (const { name, algorithm, verdict } of digests) {
    if (verdict === 'ok') continue;
    refusals.push({ code: 'digest-bad', text: `The ${algorithm} digest of the ${name} does not fit its bytes.` });
  }
  const judged = await attempt(() => judgeSignatures(pkg, judges.keys, judges.now));
  const facts = await attempt(() => packageFacts(pkg));
  const claims = facts !== null && !pkg.source && claimsLivePatch(facts);
  const entries = await attempt(() =>
    claims ? readLivePatch(pkg, judges.run.filter) : readPayload(pkg, {}, judges.run.filter),
  );
  const livepatch = claims ? await livePatch(pkg, facts, entries, judges, attempt) : null;
  const trust = authenticity(pkg, judged, judges);
  if (trust.authentic === 'bad' && trust.authenticBecause?.code === 'signature-bad')
    refusals.push(trust.authenticBecause);
  return {
    ...blank(file),
    kind: pkg.source ? 'source-rpm' : 'rpm',
    nevra: formatNevra(pkg.nevra),
    format: pkg.format,
    facts,
    payload: { format: facts?.payloadFormat ?? 'cpio', compressor: facts?.payloadCompressor ?? sniff(pkg.payload) },
    digests,
    signatures: (judged ?? []).map(signature),
    files: entries === null ? (facts?.files ?? []).map(promised) : entries.map(found),
    filesFrom: entries === null ? 'header' : 'payload',
    ...trust,
    pin: pinVerdict(pkg.nevra.name, trust.signer, judges),
    livepatch,
    refusals: unique(refusals),
  };
}

function unique(problems: readonly Problem[]): Problem[] {
  return problems.filter((one, n) => problems.findIndex((other) => other.text === one.text) === n);
}

/** Whether a package says of itself that it is a live patch, by name, by what it provides or by where its files lie. */
function claimsLivePatch({ nevra, provides, files }: PackageFacts): boolean {
  const named = isLivePatchName(nevra.name) || provides.some(({ name }) => name === 'kpatch-patch');
  return named || files.some(({ path }) => path.startsWith(MODULES) && path.endsWith('.ko'));
}

type Attempt = <T>(act: () => T | Promise<T>) => Promise<T | null>;

async function livePatch(
  pkg: RpmPackage,
  facts: PackageFacts,
  entries: readonly PayloadEntry[] | null,
  judges: Judges,
  attempt: Attempt,
): Promise<InspectedLivepatch> {
  const fixes = changelogFixes(facts.changelog);
  const kernel = await attempt(() => kernelOf(pkg, facts));
  const modules =
    entries === null || kernel === null ? null : await attempt(() => packagedModules(pkg, entries, kernel));
  const inspected = (modules ?? []).map(({ file, facts: of }: FoundModule) => ({
    file: `${MODULES}${kernel}/${file}`,
    facts: of,
    keyring: of.signature === null ? null : inKeyring(of.signature, judges.kernelKeys),
  }));
  return { kernel, modules: inspected, functions: functionsOf(inspected), cves: cvesOf(fixes), fixes };
}

/** The kernel the signed header names; raises `module-wrong-kernel` where it names none, or two. */
function kernelOf({ nevra }: RpmPackage, { requires, provides }: PackageFacts) {
  const target = targetOf({ requires, provides, arch: nevra.arch });
  const kernel = 'kernel' in target ? kernelRelease(target.kernel) : null;
  if (kernel !== null) return kernel;
  const why = 'kernel' in target ? `${JSON.stringify(target.kernel)} is no kernel release` : target.problem;
  throw new KpmError('module-wrong-kernel', { text: `${formatNevra(nevra)} cannot be used: ${why}.` });
}

interface Trusted {
  readonly authentic: Authenticity;
  readonly authenticBecause: Problem | null;
  readonly signer: Inspection['signer'];
}

/** The very judgement that installing makes. */
function authenticity(pkg: RpmPackage, judged: readonly JudgedSignature[] | null, judges: Judges): Trusted {
  try {
    const { signer } = verifyPackage(pkg, { keys: judges.keys, allowUnsigned: false, now: judges.now });
    return { authentic: 'trusted', authenticBecause: null, signer };
  } catch (error) {
    const authenticBecause = problemOf(error);
    const { code } = authenticBecause;
    const bad = judged === null || code === 'digest-bad' || code === 'signature-bad';
    const authentic = bad ? 'bad' : code === 'package-unsigned' ? 'unsigned' : 'untrusted';
    return { authentic, authenticBecause, signer: null };
  }
}

/** The question installing asks next. */
function pinVerdict(name: string, signer: Inspection['signer'], { pinsOf }: Judges): PinVerdict | null {
  const stream = streamOf(name);
  if (stream === null || signer === null || pinsOf === undefined) return null;
  try {
    const pins = pinsOf(stream);
    if (pins === null) return { stream, verdict: 'none' };
    return { stream, verdict: pins.includes(signer.fingerprint) ? 'pinned' : 'not-pinned' };
  } catch (error) {
    if (error instanceof KpmError) return { stream, verdict: 'unknown' };
    throw error;
  }
}

function signature({ tag, covers, signature: one, verdict, reason, key, madeBy }: JudgedSignature): InspectedSignature {
  const { version, algorithm, hash, keyid, created } = one;
  const fingerprint = one.fingerprint ?? madeBy;
  return {
    tag,
    covers,
    version,
    algorithm,
    hash,
    keyid,
    fingerprint,
    created,
    verdict,
    reason,
    owner: key?.owner ?? null,
  };
}

function found({ path, size, sha256, mode, linkTo }: PayloadEntry): InspectedFile {
  return { path, size, sha256, mode, linkTo };
}

/** A file of which only the header speaks. */
function promised({ path, size, mode, digest, algorithm, linkTo }: HeaderFile): InspectedFile {
  const sha256 = isRegular(mode) && algorithm === 'sha256' ? digest : null;
  return { path, size, sha256, mode, linkTo };
}
