// Inspecting a kernel module file.
import { createHash } from 'node:crypto';
import type { Problem } from '../../domain/because.ts';
import { kernelRelease } from '../../domain/kernel.ts';
import { moduleFacts } from '../../formats/elf/module.ts';
import { inKeyring } from '../../host/keyring.ts';
import { blank, type InspectedModule, type Inspection } from './inspection.ts';
import { type Judges, problemOf } from './judges.ts';

/** Inspects the bytes of an ELF file. Raises nothing that is the file's fault. */
export function inspectModule(file: string, bytes: Buffer, mode: number, { kernelKeys }: Judges): Inspection {
  const files = [
    { path: file, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), mode, linkTo: null },
  ];
  const base: Inspection = { ...blank(file), kind: 'ko' };
  let module: InspectedModule;
  try {
    const facts = moduleFacts(bytes);
    const { signature } = facts;
    module = { file, facts, keyring: signature === null ? null : inKeyring(signature, kernelKeys) };
  } catch (error) {
    return { ...base, refusals: [problemOf(error)], authenticBecause: UNSIGNED };
  }
  const { facts } = module;
  const kernel = kernelRelease(facts.release);
  const refusals: Problem[] =
    kernel === null
      ? [
          {
            code: 'not-a-module',
            text: `The module was built for ${JSON.stringify(facts.release)}, which is no kernel release.`,
          },
        ]
      : [];
  return {
    ...base,
    files,
    filesFrom: 'payload',
    module,
    // The kernel alone can check the signature inside: its keys cannot be read, only listed.
    authentic: facts.signature === null ? 'unsigned' : 'untrusted',
    authenticBecause: facts.signature === null ? UNSIGNED : UNCHECKED,
    livepatch: facts.livepatch
      ? { kernel, modules: [module], functions: functionsOf([module]), cves: [], fixes: [] }
      : null,
    refusals,
  };
}

const UNSIGNED: Problem = { code: 'package-unsigned', text: 'The file carries no signature.' };
const UNCHECKED: Problem = {
  code: 'key-untrusted',
  text: 'Only the kernel can check the signature of a module; whether its keyrings hold the key is said with the module.',
};

/** `object:function` of all modules, each once. */
export function functionsOf(modules: readonly InspectedModule[]): string[] {
  const all = modules.flatMap(({ facts }) => facts.functions.map(({ object, name }) => `${object}:${name}`));
  return [...new Set(all)];
}
