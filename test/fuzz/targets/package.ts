// Readers of packages: header, digests, signatures' places, facts; and the whole way to the modules.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { extractModules } from '../../../src/apply/extract.ts';
import { judgeSignatures, verifySigned } from '../../../src/apply/verify.ts';
import { targetOf } from '../../../src/decide/schemes/rhel.ts';
import { type KernelRelease, kernelRelease } from '../../../src/domain/kernel.ts';
import { formatNevra } from '../../../src/domain/nevra.ts';
import { KpmError } from '../../../src/errors.ts';
import type { Pipe } from '../../../src/formats/codec/decompress.ts';
import { parseKeys } from '../../../src/formats/openpgp/index.ts';
import { checkDigests } from '../../../src/formats/rpm/digests.ts';
import { packageFacts } from '../../../src/formats/rpm/facts.ts';
import { changelogFixes } from '../../../src/formats/rpm/fixes.ts';
import { parseRpm } from '../../../src/formats/rpm/package.ts';
import { readPayload } from '../../../src/formats/rpm/payload.ts';
import { signatureBlobs } from '../../../src/formats/rpm/signatures.ts';
import { TAG } from '../../../src/formats/rpm/tags.ts';
import { realRun } from '../../../src/host/run.ts';
import { inspectBytes, isSound } from '../../../src/usecases/inspect/inspect.ts';
import { assembleRpm, type ForgedFile, forgeCpio, forgeHeader, forgeRpm, type Tag } from '../../support/forge-rpm.ts';
import { mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import type { Samples } from '../samples.ts';
import { insist, isRefusal, type Target } from '../target.ts';

const NOW = new Date('2024-06-10T00:00:00Z');

/** No programs: what they do is done in process, where a fault would be ours. Every 400th input goes through the real ones. */
const absent: Pipe = (program) => {
  throw new KpmError('program-missing', { text: `${program} is absent.` });
};
async function* unavailable(...[program, args, source]: Parameters<Pipe>): AsyncGenerator<Buffer> {
  yield* absent(program, args, source);
}
export const noPrograms: Pipe = unavailable;

const SECTIONS_OF_HEADER = [
  '\x8e\xad\xe8\x01\0\0\0\0',
  '\xed\xab\xee\xdb',
  '070701',
  '07070X',
  'TRAILER!!!',
  '../',
  '/usr/lib/kpatch/',
];

/** A part of a package changed: lead, signature header, main header or payload. */
function changePart(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  try {
    const pkg = parseRpm(bytes);
    const end = bytes.length - pkg.payload.length;
    const start = end - pkg.headerBytes.length;
    const parts = [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)];
    const n = random.below(3);
    // Of another package the same part, or this part changed.
    if (others.length > 0 && random.chance(4)) {
      const other = parseRpm(random.pick(others));
      const otherEnd = other.bytes.length - other.payload.length;
      const otherStart = otherEnd - other.headerBytes.length;
      parts[n] = [other.bytes.subarray(0, otherStart), other.headerBytes, other.payload][n] as Buffer;
    } else parts[n] = mutate(parts[n] as Buffer, [], random, SECTIONS_OF_HEADER);
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof KpmError) return mutate(bytes, others, random, SECTIONS_OF_HEADER);
    throw error;
  }
}

// ---- headers from the structure up

const KNOWN_TAGS = Object.values(TAG);
const value = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 6 }),
  fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.nat(20)), { minLength: 1, maxLength: 6 }),
  fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);
const tags = fc.uniqueArray(fc.record({ tag: fc.constantFrom(...KNOWN_TAGS.filter((tag) => tag >= 1000)), value }), {
  maxLength: 12,
  selector: ({ tag }) => tag,
});
const files = fc.array(
  fc.record({
    path: fc.oneof(
      fc.constantFrom(
        '/usr/lib/kpatch/a.ko',
        '/a',
        '/usr/../a',
        '/a//b',
        '/b\u001b[31m',
        '/dev/null',
        `/${'x'.repeat(300)}`,
      ),
      fc.string({ maxLength: 30 }).map((text) => `/${text}`),
    ),
    mode: fc.constantFrom(0o100644, 0o100755, 0o104755, 0o040755, 0o120777, 0o020666, 0o010644, 0),
    data: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 5 },
);

function sampleOf<T>(arbitrary: fc.Arbitrary<T>, random: Random): T {
  return fc.sample(arbitrary, { seed: random.below(0x7fffffff), numRuns: 1 })[0] as T;
}

/** A package whose header is built from arbitrary tags, with right digests. */
function built(random: Random): Buffer {
  const own = sampleOf(tags, random) as Tag[];
  if (random.chance(2)) return forgeRpm({ files: sampleOf(files, random) as ForgedFile[], tags: own });
  return assembleRpm(forgeHeader(own, random.chance(4) ? null : TAG.headerImmutable), random.bytes(random.below(64)));
}

function readHeader(bytes: Buffer): void {
  const pkg = parseRpm(bytes);
  checkDigests(pkg);
  signatureBlobs(pkg);
  changelogFixes(packageFacts(pkg).changelog);
}

// ---- a changed archive behind a header that still has its own digests

const MODULE = { path: '/usr/lib/kpatch/5.14.0-1.el9.x86_64/a.ko', data: Buffer.from('the bytes of a module') };
const PAYLOAD_FILES: readonly ForgedFile[] = [
  { path: '/usr/lib/kpatch', mode: 0o040755 },
  MODULE,
  { path: '/usr/lib/kpatch/b', mode: 0o120777, linkTo: 'a.ko' },
  { path: '/usr/lib/kpatch/c', data: Buffer.from('1'), inode: 77 },
  { path: '/usr/lib/kpatch/d', data: Buffer.from('1'), inode: 77 },
];
const OPEN = forgeCpio(
  PAYLOAD_FILES.map((f, n) => ({
    name: `.${f.path}`,
    mode: f.mode ?? 0o100644,
    data: f.data ?? Buffer.from(f.linkTo ?? ''),
    ino: f.inode ?? n + 1,
    nlink: f.inode === undefined ? 1 : 2,
  })),
);
const STRIPPED = forgeCpio(PAYLOAD_FILES.map((f, index) => ({ index, data: f.data ?? Buffer.from(f.linkTo ?? '') })));

function withArchive(random: Random): Buffer {
  const archive = mutate(random.chance(3) ? STRIPPED : OPEN, [OPEN, STRIPPED], random, [
    '070701',
    '07070X',
    '070702',
    'TRAILER!!!\0',
    '00000001',
    'FFFFFFFF',
    '../',
  ]);
  const compress = random.chance(8) ? gzipSync : (open: Buffer) => open;
  return forgeRpm({ files: PAYLOAD_FILES, archive, compress });
}

async function readArchive(bytes: Buffer): Promise<void> {
  const pkg = parseRpm(bytes);
  const promised = new Map(packageFacts(pkg).files.map((file) => [file.path, file]));
  for (const entry of await readPayload(pkg, {}, noPrograms)) {
    const file = promised.get(entry.path);
    insist(file !== undefined && file.mode === entry.mode, `${entry.path} is not what the header lists`);
    if (entry.content === null) continue;
    const digest = createHash('sha256').update(entry.content).digest('hex');
    insist(
      digest === file?.digest && digest === entry.sha256,
      `${entry.path} has other bytes than the header promises`,
    );
  }
}

// ---- signed packages

interface Known {
  readonly kernel: KernelRelease;
  /** Of every package that was signed under this name. */
  readonly contents: ReadonlySet<string>;
}

const kernelOf = (bytes: Buffer): KernelRelease => {
  const pkg = parseRpm(bytes);
  const target = targetOf({ ...packageFacts(pkg), arch: pkg.nevra.arch });
  return ('kernel' in target ? kernelRelease(target.kernel) : null) as KernelRelease;
};

/** Everything that installing would use of a package. */
async function contentOf(
  bytes: Buffer,
  kernel: KernelRelease,
  trust: Parameters<typeof verifySigned>[1],
  pipe: Pipe,
): Promise<string> {
  const pkg = parseRpm(bytes);
  const { modules, verified } = await extractModules(verifySigned(pkg, trust), kernel, pipe);
  const facts = packageFacts(pkg);
  const shown = modules.map(({ bytes: content, ...rest }) => [
    rest,
    createHash('sha256').update(content).digest('hex'),
  ]);
  return JSON.stringify([formatNevra(pkg.nevra), verified.signer?.fingerprint, shown, facts]);
}

export function packageTargets(from: Samples): Target[] {
  const trust = { keys: parseKeys(from.releaseKey), allowUnsigned: false, now: NOW };
  const signed = from.signed.map(({ bytes }) => bytes);
  const known = new Map<string, Promise<Known | null>>();
  const nameOf = (bytes: Buffer): string => formatNevra(parseRpm(bytes).nevra);
  const gather = async (name: string): Promise<Known | null> => {
    const originals = signed.filter((bytes) => nameOf(bytes) === name);
    const [first] = originals;
    if (first === undefined) return null;
    const kernel = kernelOf(first);
    const contents = await Promise.all(originals.map((bytes) => contentOf(bytes, kernel, trust, realRun.filter)));
    return { kernel, contents: new Set(contents) };
  };
  /** What was signed under a name; null: nothing. */
  const signedAs = (name: string): Promise<Known | null> => {
    const found = known.get(name) ?? gather(name);
    known.set(name, found);
    return found;
  };
  let runs = 0;
  return [
    {
      name: 'rpm-header',
      weight: 22,
      make: (random) =>
        random.chance(5)
          ? mutate(built(random), from.packages, random, SECTIONS_OF_HEADER)
          : random.chance(4)
            ? built(random)
            : changePart(random.pick(from.packages), from.packages, random),
      run: readHeader,
    },
    {
      name: 'signed-package',
      weight: 14,
      make: (random) => changePart(random.pick(signed), signed, random),
      async run(bytes) {
        // The first parse decides under which name it would be taken for something that was signed.
        const name = nameOf(bytes);
        const original = await signedAs(name);
        const kernel = original?.kernel ?? kernelOf(bytes);
        const pipe = runs++ % 400 === 0 ? realRun.filter : noPrograms;
        const content = await contentOf(bytes, kernel, trust, pipe);
        insist(original?.contents.has(content) ?? false, `a changed ${name} was accepted`);
      },
    },
    { name: 'payload', weight: 14, make: withArchive, run: readArchive },
    {
      name: 'inspect',
      weight: 5,
      make: (random) => changePart(random.pick(from.packages), from.packages, random),
      async run(bytes) {
        // Inspecting refuses nothing by raising: even its KpmErrors would be findings.
        const judges = { keys: trust.keys, kernelKeys: null, now: NOW, run: { ...realRun, filter: noPrograms } };
        let found: Awaited<ReturnType<typeof inspectBytes>>;
        try {
          found = await inspectBytes('file.rpm', bytes, 0o100644, judges);
        } catch (error) {
          insist(!isRefusal(error), `inspecting raised ${String(error)}`);
          throw error;
        }
        insist(found.authentic !== 'trusted' || found.signer !== null, 'trusted by nobody');
        if (isSound(found)) judgeSignatures(parseRpm(bytes), [], NOW);
      },
    },
  ];
}
