// completion: the script for a shell, made from the tables.
import { EXIT, type KpmError } from '../../errors.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { Context } from '../context.ts';
import { errorJson, JSON_FORMAT } from '../render/json.ts';

const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export async function run({ words, output }: Context): Promise<number> {
  for (const word of words) output.out(SCRIPTS[word]?.() ?? '');
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, error: errorJson(error) };
}
