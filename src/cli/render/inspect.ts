// What `inspect` found, for people: one block a file, the judgement last.
import type { ChangelogLines, Difference, Side } from '../../usecases/inspect/compare.ts';
import {
  type InspectedModule,
  type InspectedSignature,
  type Inspection,
  isSound,
} from '../../usecases/inspect/inspection.ts';
import { cleanDeep } from './clean.ts';
import { modeText } from './inspect-json.ts';
import { humanSize } from './size.ts';
import { paint, type Style, type Tone } from './style.ts';
import { wrap } from './width.ts';

export interface InspectOptions {
  /** Every file and every digest, not only those of a live patch. */
  readonly verbose: boolean;
}

const LABEL = 11;

/** `  Label      text`, folded under the text. */
function row(label: string, text: string, style: Style, tone: Tone = 'plain'): string[] {
  const indent = ' '.repeat(LABEL + 3);
  return wrap(text, Math.max(20, style.width - indent.length), '  ').map((line, n) => {
    const head = n === 0 ? `  ${label.padEnd(LABEL)} ` : indent;
    return head + paint(style, tone, line);
  });
}

const rows = (label: string, texts: readonly string[], style: Style): string[] =>
  texts.flatMap((text, n) => row(n === 0 ? label : '', text, style));

const day = (date: Date | null): string =>
  date === null || Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString().slice(0, 10);

/** The blocks of all files, a blank line between them; ends with a line break. */
export function renderInspections(found: readonly Inspection[], style: Style, options: InspectOptions): string {
  return `${found.map((one) => block(cleanDates(one), style, options).join('\n')).join('\n\n')}\n`;
}

/** Everything a stranger may have written is cleaned; dates are ours. */
function cleanDates(one: Inspection): Inspection {
  const signatures = one.signatures.map((signature) => ({
    ...cleanDeep({ ...signature, created: null }),
    created: signature.created,
  }));
  return { ...cleanDeep({ ...one, signatures: [] }), signatures };
}

function block(one: Inspection, style: Style, options: InspectOptions): string[] {
  return [
    paint(style, 'strong', one.file),
    ...identity(one, style),
    ...trust(one, style, options),
    ...livepatch(one, style),
    ...(one.facts?.scripts.length
      ? row('Scripts', `${one.facts.scripts.join(', ')}: kpatch-pm never runs them`, style)
      : []),
    ...files(one, style, options),
    ...judgement(one, style),
  ];
}

const KINDS = { rpm: 'package', 'source-rpm': 'source package', ko: 'kernel module', unknown: 'unknown' } as const;

function identity({ kind, nevra, format, facts, payload, module }: Inspection, style: Style): string[] {
  if (module !== null && kind === 'ko') return row('Kind', 'kernel module', style).concat(moduleRows(module, style));
  if (facts === null || nevra === null) return row('Kind', KINDS[kind], style);
  const built = facts.buildTime === null ? '' : `, built ${day(new Date(facts.buildTime * 1000))}`;
  const from = facts.sourceRpm === null ? '' : ` from ${facts.sourceRpm}`;
  return [
    ...row('Package', nevra, style),
    ...row(
      'Kind',
      `${KINDS[kind]}, RPM format ${format}, ${payload?.format} ${payload?.compressor}${built}${from}`,
      style,
    ),
    ...row('Summary', facts.summary, style),
  ];
}

const TRUST: Record<Inspection['authentic'], Tone> = {
  trusted: 'good',
  untrusted: 'wait',
  unsigned: 'wait',
  bad: 'bad',
};

function trust(one: Inspection, style: Style, { verbose }: InspectOptions): string[] {
  if (one.kind === 'unknown') return [];
  const { authentic, authenticBecause, signer } = one;
  const why = signer === null ? (authenticBecause?.text ?? '') : `signed by ${signer.owner} (${signer.fingerprint})`;
  const digests = one.digests.filter(({ verdict }) => verbose || verdict === 'bad');
  const held = one.digests.length - one.digests.filter(({ verdict }) => verdict === 'bad').length;
  const told = digests.map(({ name, algorithm, verdict }) => `${name} ${algorithm}: ${verdict}`);
  const summary = one.digests.length > 0 && !verbose ? [`${held} of ${one.digests.length} hold`] : [];
  return [
    ...row('Authentic', `${authentic}: ${why}`, style, TRUST[authentic]),
    ...pinRow(one, style),
    ...rows('Signatures', one.signatures.map(signatureText), style),
    ...rows('Digests', [...summary, ...told], style),
  ];
}

const PINS = {
  pinned: 'the signer is pinned for the stream',
  'not-pinned': 'the stream is pinned to another key: installing refuses this (key-not-pinned)',
  none: 'the stream has no pin: any trusted key may sign',
  unknown: 'not known: only root may read the pins, or they are damaged',
} as const;

function pinRow({ pin }: Inspection, style: Style): string[] {
  if (pin === null) return [];
  const tone = pin.verdict === 'not-pinned' ? 'wait' : 'plain';
  return row('Pin', `${pin.stream}: ${PINS[pin.verdict]}`, style, tone);
}

function signatureText(one: InspectedSignature): string {
  const key = one.fingerprint ?? one.keyid ?? 'not named';
  const reason = one.reason === null ? '' : ` (${one.reason})`;
  return `${one.tag}, ${one.algorithm} ${one.hash} over ${one.covers}, key ${key}, made ${day(one.created)}: ${one.verdict}${reason}`;
}

const KEYRING = {
  yes: "its key is in this kernel's keyrings",
  likely: "a key of that name is in this kernel's keyrings",
  no: "its key is not in this kernel's keyrings",
  unknown: "whether this kernel's keyrings hold its key is unknown",
} as const;

function moduleRows({ facts, keyring }: InspectedModule, style: Style): string[] {
  const { name, vermagic, checksum, buildId, signature } = facts;
  const own = [checksum === null ? '' : `checksum ${checksum}`, buildId === null ? '' : `build id ${buildId}`];
  const signed =
    signature === null
      ? 'not signed'
      : `signed by ${signature.signer ?? 'a key without name'}, key ${signature.keyid ?? 'not named'}, ${signature.hash ?? 'unknown hash'}; ${KEYRING[keyring ?? 'unknown']}`;
  return rows('Module', [name, `vermagic ${vermagic.trim()}`, ...own.filter((text) => text !== ''), signed], style);
}

function livepatch({ livepatch: patch, module, kind }: Inspection, style: Style): string[] {
  if (patch === null) {
    return kind === 'ko' && module !== null ? row('Live patch', 'no: an ordinary kernel module', style) : [];
  }
  const lines = row('Kernel', patch.kernel ?? 'not said', style);
  if (kind !== 'ko') for (const one of patch.modules) lines.push(...moduleRows(one, style));
  lines.push(...rows('Replaces', byObject(patch.functions), style));
  const fixes = patch.fixes.map(
    ({ cves, text, bugs }) => `${[...cves, ...bugs.map((bug) => `[${bug}]`)].join(' ')}: ${text}`,
  );
  lines.push(...rows('Fixes', fixes, style));
  return lines;
}

/** `vmlinux: one, two` a line for each object. */
function byObject(functions: readonly string[]): string[] {
  const objects = new Map<string, string[]>();
  for (const one of functions) {
    const colon = one.indexOf(':');
    const names = objects.get(one.slice(0, colon)) ?? [];
    objects.set(one.slice(0, colon), [...names, one.slice(colon + 1)]);
  }
  return [...objects].map(([object, names]) => `${object}: ${names.join(', ')}`);
}

function files(
  { files: all, filesFrom, livepatch: patch, kind }: Inspection,
  style: Style,
  { verbose }: InspectOptions,
): string[] {
  if (kind === 'ko' || filesFrom === null) return [];
  const claimed = filesFrom === 'header' ? ', as the header claims' : '';
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  const count = all.length === 0 ? 'none' : `${all.length}, ${humanSize(bytes)}${claimed}`;
  if (!verbose && patch === null) return row('Files', count, style);
  const lines = all.map(({ path, mode, size, linkTo }) => {
    const target = linkTo === null ? '' : ` -> ${linkTo}`;
    return `${modeText(mode)} ${size} ${path}${target}`;
  });
  return rows('Files', [count, ...lines], style);
}

function judgement(one: Inspection, style: Style): string[] {
  if (isSound(one)) {
    const installable = one.authentic === 'trusted' || one.kind === 'ko';
    const result = installable ? 'sound' : 'sound, but it would not be installed: no trusted key signed it';
    return row('Result', result, style, installable ? 'good' : 'wait');
  }
  return one.refusals.flatMap(({ code, text }, n) =>
    row(n === 0 ? 'Result' : '', `refused: ${text} [${code}]`, style, 'bad'),
  );
}

/** What the second file adds to the first; ends with a line break. */
export function renderDifference(a: string, b: string, difference: Difference, style: Style): string {
  const { added, removed, changed } = cleanDeep({
    ...difference,
    added: inLines(difference.added),
    removed: inLines(difference.removed),
  });
  const [one, two] = [cleanDeep(a), cleanDeep(b)];
  const lines = [
    ...side(`${two} adds to ${one}:`, added, style),
    ...side(`${two} lacks what ${one} has:`, removed, style),
    ...(changed.length > 0 ? [`Files of both that differ:`, ...rows('Files', changed, style)] : []),
  ];
  if (lines.length === 0) lines.push(`${two} adds nothing to ${one} and lacks nothing of it.`);
  return `${lines.join('\n')}\n`;
}

/** Changelog entries of several lines as several: a line break inside would be written out. */
function inLines(one: Side): Side {
  const changelog = one.changelog.flatMap((entry) => entry.text.split('\n').map((text) => ({ ...entry, text })));
  return { ...one, changelog };
}

function side(heading: string, { functions, cves, changelog, files: paths, scripts }: Side, style: Style): string[] {
  const entries = changelog.map(
    ({ time, author, text }: ChangelogLines) => `${day(new Date(time * 1000))} ${author}: ${text}`,
  );
  const lines = [
    ...rows('Functions', byObject(functions), style),
    ...rows('CVEs', cves, style),
    ...rows('Changelog', entries, style),
    ...rows(
      'Files',
      paths.map(({ path }) => path),
      style,
    ),
    ...rows('Scripts', scripts, style),
  ];
  return lines.length === 0 ? [] : [paint(style, 'strong', heading), ...lines];
}
