// verify as people read it: one line a layer, then the first that is broken and what mends it.
import type { Verification } from '../../decide/verify.ts';
import type { Layer } from '../../domain/layers.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import { paint, type Style, type Tone } from './style.ts';
import { padEnd, textWidth, wrap } from './width.ts';

const MARKS: Record<Layer['state'], { symbol: string; word: string; tone: Tone }> = {
  ok: { symbol: '✓', word: 'ok', tone: 'good' },
  broken: { symbol: '✗', word: 'NO', tone: 'bad' },
  unknown: { symbol: '?', word: '?', tone: 'wait' },
  skipped: { symbol: '-', word: '-', tone: 'plain' },
};

const WORDS: Record<Verification['proof'], string> = {
  protected: 'protected',
  ready: 'ready for its next boot',
  'not-protected': 'NOT protected',
  'cannot-tell': 'cannot tell',
};

/** The whole screen; ends with a line break. */
export function renderVerify(foreign: readonly Verification[], style: Style): string {
  const kernels = cleanDeep(foreign);
  if (kernels.length === 0) return 'No kernel is installed in this root.\n';
  return kernels.map((kernel) => `${one(kernel, style).join('\n')}\n`).join('\n');
}

function one(kernel: Verification, style: Style): string[] {
  const tone: Tone =
    kernel.proof === 'protected' || kernel.proof === 'ready'
      ? 'good'
      : kernel.proof === 'not-protected'
        ? 'bad'
        : 'wait';
  const name = `Kernel ${kernel.release}${kernel.running ? ' (running)' : ''}:`;
  const proof = WORDS[kernel.proof];
  const shown = paint(style, tone, proof);
  const heads = textWidth(`${name} ${proof}`) > style.width ? [name, `  ${shown}`] : [`${name} ${shown}`];
  const { first } = kernel;
  const lines = [...heads, ...kernel.layers.flatMap((layer) => layerLines(layer, style))];
  if (first === null) return lines;
  const what = first.state === 'broken' ? 'First broken layer' : 'First unknown layer';
  lines.push(...wrap(`${what}: ${first.name}: ${first.text}.`, style.width, '  '));
  if (first.mend !== null) lines.push(`Next: ${paint(style, 'strong', first.mend)}`);
  return lines;
}

function layerLines({ name, state, text }: Layer, style: Style): string[] {
  const { symbol, word, tone } = MARKS[state];
  const mark = padEnd(style.symbols ? symbol : word, style.symbols ? 1 : 2);
  const before = ` ${mark} ${name.padEnd(11)}`;
  const [first = '', ...rest] = wrap(text, Math.max(20, style.width - before.length));
  const indent = ' '.repeat(before.length);
  return [` ${paint(style, tone, mark)} ${name.padEnd(11)}${first}`, ...rest.map((line) => indent + line)];
}

/** `verify --json`. */
export function verifyJson(time: string, kernels: readonly Verification[]): unknown {
  return {
    format: JSON_FORMAT,
    time,
    kernels: kernels.map(({ release, running, proof, first, layers }) => ({
      release,
      running,
      proof,
      first: first && { ...first },
      layers: layers.map((layer) => ({ ...layer })),
    })),
    error: null,
  };
}
