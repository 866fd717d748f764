// Every hostile or broken repository.
import type { HostileCase } from './case.ts';
import { FILE_CASES } from './files.ts';
import { METADATA_CASES } from './metadata.ts';
import { PACKAGE_CASES, SIGNER_CASES } from './packages.ts';
import { PAYLOAD_CASES } from './payloads.ts';

export const HOSTILE: readonly HostileCase[] = [
  ...PACKAGE_CASES,
  ...SIGNER_CASES,
  ...PAYLOAD_CASES,
  ...FILE_CASES,
  ...METADATA_CASES,
];
