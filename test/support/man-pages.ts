// docs/man, made from the tables of verbs, options, settings and exit statuses. Source of the form: mdoc(7).
import { optionForms } from '../../src/cli/help.ts';
import { OPTION_GROUPS, type OptionSpec } from '../../src/cli/option-spec.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { wrap } from '../../src/cli/render/width.ts';
import type { VerbSpec } from '../../src/cli/verb-spec.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { KPM_OPTIONS, type KpmOptionRow } from '../../src/observe/config/kpm.ts';

export const DATE = 'November 21, 2026';

/** Plain text as roff takes it: nothing in it is a request or an escape. */
function roff(text: string): string {
  return text.replaceAll('\\', '\\e').replace(/^([.'])/gm, '\\&$1');
}

/** A literal that people copy: a minus stays a minus. */
export const literal = (text: string): string => roff(text).replaceAll('-', '\\-');

/** Text in which `...` marks what is typed. A sentence begins on a new line, as mdoc wants it. */
export function prose(text: string): string[] {
  return text
    .split(/(?<=[.:?!]) (?=[A-Z`])/)
    .map((sentence) =>
      sentence
        .split('`')
        .map((part, n) => (n % 2 === 1 ? `\\fB${literal(part)}\\fP` : part))
        .join(''),
    )
    .map((sentence) => (sentence.startsWith('\\fB') ? `\\&${sentence}` : roffText(sentence)));
}

/** Prose that may hold our own font escapes. */
const roffText = (text: string): string =>
  text
    .split(/(\\f[BP]|\\-|\\e)/)
    .map((part, n) => (n % 2 === 1 ? part : part.replaceAll('\\', '\\e').replaceAll('--', '\\-\\-')))
    .join('')
    .replace(/^([.'])/, '\\&$1');

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, n) => [...(n > 0 ? ['.Pp'] : []), ...prose(text)]);
}

function verbLines(verb: VerbSpec): string[] {
  const forms = [verb.name, ...verb.aliases].map((name) => `${name} ${verb.takes}`.trim());
  const own = (OPTIONS as readonly OptionSpec[]).filter((spec) => spec.verbs?.includes(verb.name));
  const options = own.length === 0 ? [] : [`Its own options: ${own.map(({ name }) => `\`--${name}\``).join(', ')}.`];
  return [
    ...forms.map((form, n) => `${n === 0 ? '.It' : '.It'} Ic ${literal(quoted(form))}`),
    ...paragraphs([`${verb.summary}.`, ...verb.about.filter((text) => !text.startsWith('SPEC is')), ...options]),
  ];
}

/** As one argument of a macro. */
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function optionLines(spec: OptionSpec): string[] {
  const choices = spec.choices === undefined ? '' : ` One of ${spec.choices.join(', ')}.`;
  const only = spec.verbs === undefined ? '' : ` Only with ${spec.verbs.join(', ')}.`;
  return [
    `.It Fl \\&Ns ${quoted(literal(optionForms(spec)))}`.replace('.It Fl \\&Ns ', '.It Ic '),
    ...prose(`${spec.help}${choices}${only}`),
  ];
}

export const list = (items: readonly string[]): string[] => ['.Bl -tag -width Ds', ...items, '.El'];

const EXITS: readonly (readonly [number, string])[] = [
  [0, 'Done, or nothing to do.'],
  [1, 'Failed, refused, aborted or interrupted.'],
  [2, 'Wrong usage, found before anything else was touched.'],
  [100, 'The verb `check-update` found something to upgrade.'],
  [200, 'Another run holds the lock.'],
];

const FILES: readonly (readonly [string, string])[] = [
  ['/etc/kpatch-pm/kpatch-pm.conf', 'Settings of this program, with drop-ins beside it.'],
  ['/etc/dnf/plugins/kpatch.conf', 'The settings autoupdate and autofilter, shared with the kpatch plug-in of dnf.'],
  ['/etc/dnf/dnf.conf', 'Configuration of dnf, which counts here too; also /etc/yum.repos.d/*.repo and /etc/dnf/vars.'],
  ['/var/lib/kpatch', 'The modules, one directory for each kernel.'],
  ['/var/lib/kpatch-pm', 'Receipts, holds, the journal and the lock.'],
  ['/var/cache/kpatch-pm', 'Metadata and packages; a user without privileges has a cache in XDG_CACHE_HOME.'],
];

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['NO_COLOR', 'No colours, whatever its value, unless it is empty.'],
  ['LANG', 'With LC_ALL and LC_CTYPE: whether characters beyond ASCII are shown.'],
  ['COLUMNS', 'The width of the screen.'],
  ['http_proxy', 'With https_proxy and no_proxy: as in dnf, where the configuration names no proxy.'],
];

/** Lines of text no longer than mdoc likes them; requests stay whole. */
export function wrapped(lines: readonly string[]): string {
  let literally = false;
  const broken = lines.flatMap((line) => {
    if (line.startsWith('.Bd -literal')) literally = true;
    if (line === '.Ed') literally = false;
    if (line.startsWith('.') || literally) return [line];
    return wrap(line, 78).map((part) => part.replace(/^([.'])/, '\\&$1'));
  });
  return `${broken.join('\n')}\n`;
}

/** kpatch-pm.8 */
export function mainPage(): string {
  const verbs: readonly VerbSpec[] = VERBS;
  const specs: readonly OptionSpec[] = OPTIONS;
  const lines = [
    '.\\" Made from the tables in the code by `npm run docs`; edit those.',
    `.Dd ${DATE}`,
    '.Dt KPATCH-PM 8',
    '.Os',
    '.Sh NAME',
    '.Nm kpatch-pm',
    '.Nd package manager for kernel live patches',
    '.Sh SYNOPSIS',
    '.Nm',
    '.Op Ar option ...',
    '.Ar verb',
    '.Op Ar argument ...',
    '.Sh DESCRIPTION',
    '.Nm',
    'keeps the kernels of an RPM-based machine live-patched and proves it.',
    'It reads the repositories, settings and keys of dnf, finds the live patch of every installed kernel, verifies and installs it,',
    'loads it into the running kernel, and reads in sysfs whether the kernel really runs it.',
    'Neither dnf nor Python is needed.',
    '.Pp',
    'Options may stand before or after the verb.',
    'Of an option given twice the last value counts, except where it may be repeated.',
    '.Sh VERBS',
    ...list(verbs.flatMap(verbLines)),
    '.Sh SPECIFYING LIVE PATCHES',
    ...paragraphs(
      verbs.find(({ name }) => name === 'install')?.about.filter((text) => text.startsWith('SPEC is')) ?? [],
    ),
    '.Sh OPTIONS',
    ...OPTION_GROUPS.flatMap((group) => [
      `.Ss ${group}`,
      ...list(specs.filter((spec) => spec.group === group).flatMap(optionLines)),
    ]),
    '.Sh ENVIRONMENT',
    'Nothing in the environment of the caller weakens the program; these are honoured:',
    ...list(ENVIRONMENT.flatMap(([name, text]) => [`.It Ev ${name}`, ...prose(text)])),
    '.Sh FILES',
    ...list(FILES.flatMap(([name, text]) => [`.It Pa ${literal(name)}`, ...prose(text)])),
    '.Sh EXIT STATUS',
    ...list(EXITS.flatMap(([status, text]) => [`.It ${status}`, ...prose(text)])),
    '.Pp',
    'Verbs with statuses of their own say so above.',
    '.Sh EXAMPLES',
    ...verbs.flatMap(({ examples }) =>
      examples.flatMap(({ command, what }) => [
        `${roffText(capital(what))}:`,
        `.Dl ${literal(command).replaceAll('"', '\\(dq')}`,
      ]),
    ),
    '.Sh SEE ALSO',
    '.Xr kpatch 1 ,',
    '.Xr dnf.conf 5 ,',
    '.Xr kpatch-pm.conf 5 ,',
    '.Xr dnf 8 ,',
    '.Xr kpatch-pm-boot.service 8',
  ];
  return wrapped(lines);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/\?$/, '');

const TYPES: Record<KpmOptionRow['type'], string> = {
  loader: 'auto, kpatch or builtin',
  bool: 'yes or no (1, 0, true, false, on, off)',
  seconds: 'seconds, or a number with m, h or d',
  windows: 'days and hours',
  date: 'a date, YYYY\\-MM\\-DD',
  conflict: 'warn or refuse',
  steps: 'a percentage, or several, each but the first with the word after and a time',
  cohort: 'auto, a number, canary, last, or a name',
  severities: 'severities, separated by spaces or commas',
  cves: 'CVE numbers, separated by spaces or commas',
};

/** kpatch-pm.conf.5 */
export function configurationPage(): string {
  const rows: readonly KpmOptionRow[] = KPM_OPTIONS;
  const lines = [
    '.\\" Made from the tables in the code by `npm run docs`; edit those.',
    `.Dd ${DATE}`,
    '.Dt KPATCH-PM.CONF 5',
    '.Os',
    '.Sh NAME',
    '.Nm kpatch-pm.conf',
    '.Nd configuration of kpatch-pm',
    '.Sh DESCRIPTION',
    '.Nm',
    'has sections in brackets and lines of the form',
    '.Ar key Ns = Ns Ar value ;',
    'lines that begin with # or ; are comments.',
    'Files named *.conf in the drop-in directory are read after it, in the order of their names; the last value written counts.',
    'A value that cannot be read is named, with file and line, in every run, and the default counts, or the safe value where one is given.',
    '.Pp',
    'Repositories, keys, proxies and excludes are those of dnf:',
    '.Xr dnf.conf 5 .',
    'The settings autoupdate and autofilter are in',
    '.Pa /etc/dnf/plugins/kpatch.conf .',
    '.Sh MAIN SECTION',
    'Options of the section',
    '.Bq main :',
    ...list(
      rows.flatMap(({ key, type, default: value, safe, flag, meaning }) => [
        `.It Ic ${key}`,
        ...prose(meaning),
        `Value: ${TYPES[type]}.`,
        ...(value === '' ? ['Not set by default.'] : [`Default: ${value}.`]),
        ...(safe === undefined ? [] : [`Where the value cannot be read: ${safe.replaceAll('-', '\\-')}.`]),
        ...(flag === undefined ? [] : [`On the command line: ${literal(flag)}.`]),
      ]),
    ),
    '.Sh PINS SECTION',
    'Each line of the section',
    '.Bq pins',
    'names a stream of live patches',
    '.Pq rhel : all packages kpatch\\-patch\\-*',
    'and the full fingerprints of the keys that alone may sign it, separated by spaces or commas.',
    'A line that cannot be read pins the stream to nothing, so that a typo never opens what was closed.',
    '.Sh FILES',
    ...list([
      '.It Pa /etc/kpatch\\-pm/kpatch\\-pm.conf',
      'Read first.',
      '.It Pa /etc/kpatch\\-pm/conf.d/*.conf',
      'Drop-ins.',
    ]),
    '.Sh EXAMPLES',
    '.Bd -literal -offset indent',
    '[main]',
    'loader = builtin',
    'lock_timeout = 60',
    '',
    '[pins]',
    'rhel = 567E347AD0044ADE55BA8A5F199E2F91FD431D51',
    '.Ed',
    '.Sh SEE ALSO',
    '.Xr dnf.conf 5 ,',
    '.Xr kpatch-pm 8',
  ];
  return wrapped(lines);
}
