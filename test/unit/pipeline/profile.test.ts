// Satellite's package profile: the uploader is started where the host is registered, and whatever it does is no failure.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { realRun } from '../../../src/host/run.ts';
import { uploadProfile } from '../../../src/pipeline/profile.ts';
import { type Heard, listener } from '../../support/machine.ts';

let dir: string;
let heard: Heard;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kpm-profile-'));
  heard = listener();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(file: string, text: string): void {
  const whole = path.join(dir, file);
  mkdirSync(path.dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  chmodSync(whole, 0o755);
}

const RHSM = 'usr/libexec/rhsm-package-profile-uploader';
const KATELLO = 'usr/sbin/katello-package-upload';
const upload = (limit?: number) => uploadProfile(new Root(dir), realRun, heard, limit);
const ran = (name: string): boolean => existsSync(path.join(dir, name));
const registered = (): void => put('etc/pki/consumer/cert.pem', 'a certificate\n');

test.each([RHSM, KATELLO])('%s is started', async (program) => {
  registered();
  put(program, `#!/bin/sh\ntouch ${dir}/ran\n`);
  await upload();
  expect({ ran: ran('ran'), warnings: heard.warnings }).toEqual({ ran: true, warnings: [] });
});

test('of two that of subscription-manager', async () => {
  registered();
  put(RHSM, `#!/bin/sh\ntouch ${dir}/rhsm\n`);
  put(KATELLO, `#!/bin/sh\ntouch ${dir}/katello\n`);
  await upload();
  expect([ran('rhsm'), ran('katello')]).toEqual([true, false]);
});

test('nothing is started on a host that is not registered', async () => {
  put(RHSM, `#!/bin/sh\ntouch ${dir}/ran\n`);
  await upload();
  expect({ ran: ran('ran'), warnings: heard.warnings }).toEqual({ ran: false, warnings: [] });
});

test('nothing is said where there is no uploader', async () => {
  registered();
  await upload();
  expect(heard.warnings).toEqual([]);
});

test('a failure is a warning', async () => {
  registered();
  put(RHSM, '#!/bin/sh\necho "Unable to reach the server" >&2\nexit 70\n');
  await upload();
  expect(heard.warnings).toEqual([
    'The package profile was not uploaded (Unable to reach the server): Satellite sees the live patches when rhsmcertd uploads it, within some hours.',
  ]);
});

test('one that hangs is not waited for', async () => {
  registered();
  put(RHSM, '#!/bin/sh\nsleep 60\n');
  await upload(200);
  expect(heard.warnings).toEqual([
    expect.stringMatching(/^The package profile was not uploaded \(.+\): Satellite sees/),
  ]);
});

test('one that cannot be started is a warning', async () => {
  registered();
  put(RHSM, '#!/no/such/interpreter\n');
  await upload();
  expect(heard.warnings).toEqual([expect.stringMatching(/was not uploaded/)]);
});
