// What the tests of a file (or of a describe) are given before they run, and rid of afterwards. Called where they are declared.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import {
  type FixtureServer,
  type ScratchRoot,
  type ScratchRootOptions,
  scratchRoot,
  serveFixtures,
} from './fixtures.ts';

/** One server over the built fixtures for all tests. */
export function serverForAll(): Omit<FixtureServer, 'close'> {
  let server: FixtureServer;
  beforeAll(async () => {
    server = await serveFixtures();
  });
  afterAll(() => server.close());
  return {
    get url() {
      return server.url;
    },
    get requests() {
      return server.requests;
    },
  };
}

/** A scratch root for each test. `options` are asked for when it is made: the address of a server is not known before. */
export function rootForEach(options: () => ScratchRootOptions = () => ({})): Omit<ScratchRoot, 'remove'> {
  let root: ScratchRoot;
  beforeEach(() => {
    root = scratchRoot(options());
  });
  afterEach(() => root.remove());
  return {
    get path() {
      return root.path;
    },
    at: (relative) => root.at(relative),
  };
}

/** One empty directory for all tests, as that which plays the running system. */
export function directoryForAll(): { readonly path: string } {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-test-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  return {
    get path() {
      return directory;
    },
  };
}
