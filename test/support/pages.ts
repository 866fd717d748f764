// Pages of docs/ that are made from tables in the code, so that they cannot tell something else.
import { REASON_CODES } from '../../src/domain/because.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { commandLinePage } from './command-line-page.ts';
import { configurationPage, mainPage } from './man-pages.ts';
import { servicePage } from './man-service-page.ts';

/** Path below the top of the checkout -> text. */
export function pages(): Record<string, string> {
  return {
    'docs/errors.md': errors(),
    'docs/command-line.md': commandLinePage(),
    'docs/man/kpatch-pm.8': mainPage(),
    'docs/man/kpatch-pm.conf.5': configurationPage(),
    'docs/man/kpatch-pm-boot.service.8': servicePage(),
  };
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function errors(): string {
  const codes = Object.entries(ERROR_CODES as Record<string, { meaning: string; next: string; exit?: number }>);
  return `# Error and reason codes

This page answers: what does a code mean, what can be done, and which exit status goes with it? It is made from the tables in
\`src/errors.ts\` and \`src/domain/because.ts\` (\`npm run docs\`). A code never changes its meaning.

An error prints one sentence (what, where, why) and a hint (what to do next) on standard error; with \`--json\` it is the object \`error\`
with \`code\`, \`text\`, \`subject\` and \`hint\`. A stack trace is never shown for a fault of input, configuration or machine.

## Errors

| code | exit | what happened | what to do |
|---|---|---|---|
${codes.map(([code, { meaning, next, exit }]) => `| \`${code}\` | ${exit ?? 1} | ${cell(meaning)} | ${cell(next)} |`).join('\n')}

## Reasons

Why an action is taken, a kernel skipped, a package rejected, a verdict given. These are results, not errors.

| code | general meaning |
|---|---|
${Object.entries(REASON_CODES)
  .map(([code, text]) => `| \`${code}\` | ${cell(text)} |`)
  .join('\n')}
`;
}
