// Every ordinary repository below built/.
import type { RepositorySource } from '../builder/source.ts';
import { EL9 } from './el9.ts';

export const REPOSITORIES: readonly RepositorySource[] = [EL9];
