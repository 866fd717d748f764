// Every ordinary repository below built/.
import type { RepositorySource } from '../builder/source.ts';
import { EL8 } from './el8.ts';
import { EL9 } from './el9.ts';
import { EL10_REPO } from './el10.ts';
import { VARIANTS } from './variants.ts';

export const REPOSITORIES: readonly RepositorySource[] = [EL9, EL8, EL10_REPO, ...VARIANTS];
