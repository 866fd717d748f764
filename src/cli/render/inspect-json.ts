// The object of `inspect --json`: contract section 6.
import type { Difference, Side } from '../../usecases/inspect/compare.ts';
import type {
  InspectedFile,
  InspectedModule,
  InspectedSignature,
  Inspection,
} from '../../usecases/inspect/inspection.ts';

/** Type and permission bits as seven octal digits: `0100644`. */
export function modeText(mode: number): string {
  return mode.toString(8).padStart(7, '0');
}

const isoTime = (seconds: number): string => isoDate(new Date(seconds * 1000)) as string;
/** Null for a time no calendar has. */
const isoDate = (date: Date | null): string | null =>
  date === null || Number.isNaN(date.getTime()) ? null : date.toISOString();

function signatureJson(one: InspectedSignature): unknown {
  const { tag, covers, version, algorithm, hash, keyid, fingerprint, created, verdict, reason, owner } = one;
  return {
    tag,
    covers,
    version,
    algorithm,
    hash,
    keyid,
    fingerprint,
    created: isoDate(created),
    verdict,
    reason,
    owner,
  };
}

function fileJson({ path, size, sha256, mode, linkTo }: InspectedFile): unknown {
  return { path, size, sha256, mode: modeText(mode), link: linkTo };
}

function moduleJson({ file, facts, keyring }: InspectedModule): unknown {
  const { name, vermagic, release, livepatch, machine, checksum, buildId, srcversion, depends, signature } = facts;
  return {
    file,
    name,
    vermagic,
    release,
    livepatch,
    arch: machine,
    checksum,
    build_id: buildId,
    srcversion,
    depends,
    signature:
      signature === null
        ? null
        : { signer: signature.signer, keyid: signature.keyid, hash: signature.hash, in_keyring: keyring },
  };
}

/** One element of the array. */
export function inspectionJson(one: Inspection): unknown {
  const { facts, livepatch, module } = one;
  return {
    file: one.file,
    kind: one.kind,
    nevra: one.nevra,
    format: one.format,
    summary: facts?.summary ?? null,
    source_rpm: facts?.sourceRpm ?? null,
    built: facts?.buildTime == null ? null : isoTime(facts.buildTime),
    payload: one.payload,
    digests: one.digests,
    signatures: one.signatures.map(signatureJson),
    files: one.files.map(fileJson),
    files_from: one.filesFrom,
    authentic: one.authentic,
    authentic_because: one.authenticBecause,
    signer: one.signer,
    pin: one.pin,
    livepatch:
      livepatch === null
        ? null
        : {
            kernel: livepatch.kernel,
            modules: livepatch.modules.map(moduleJson),
            functions: livepatch.functions,
            cves: livepatch.cves,
            fixes: livepatch.fixes,
          },
    module: module === null ? null : moduleJson(module),
    scripts: facts?.scripts ?? [],
    refusals: one.refusals,
  };
}

function sideJson({ functions, cves, fixes, changelog, files, scripts }: Side): unknown {
  const entries = changelog.map(({ time, author, text }) => ({ time: isoTime(time), author, text }));
  return { functions, cves, fixes, changelog: entries, files: files.map(fileJson), scripts };
}

/** What `--diff --json` prints beside the two files. */
export function differenceJson({ added, removed, changed }: Difference): unknown {
  return { added: sideJson(added), removed: sideJson(removed), changed };
}
