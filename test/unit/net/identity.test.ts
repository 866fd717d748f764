// Cloud identity against a stand-in for the metadata service on loopback: who is asked, what is sent, and to whom.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import type { Net } from '../../../src/net/access.ts';
import { CLOUDS, type Cloud, identities } from '../../../src/net/identity.ts';
import { openNet } from '../../../src/net/net.ts';
import { deadPort } from '../../support/cdn.ts';

const DOCUMENT = '{\n  "region" : "eu-central-1",\n  "instanceId" : "i-1>>>???"\n}';
const SIGNATURE = 'dExamplesjNQhhJan7pORLpLSr7lJEF4V2DhKGlyoYVBoUYrY9njyBCmhEayaGrhtS/AWY\n+==\n';

/** IMDSv2 and Google's service in one: nothing without their tokens, nothing through a proxy. */
function metadataService(host: string): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { headers } = request;
    const give = (text: string) => response.end(text);
    if (
      request.method === 'PUT' &&
      request.url === '/latest/api/token' &&
      headers['x-aws-ec2-metadata-token-ttl-seconds']
    )
      give('T0K==');
    else if (headers['x-aws-ec2-metadata-token'] === 'T0K==' && request.url?.endsWith('/document')) give(DOCUMENT);
    else if (headers['x-aws-ec2-metadata-token'] === 'T0K==' && request.url?.endsWith('/signature')) give(SIGNATURE);
    else if (headers['metadata-flavor'] === 'Google' && request.url?.endsWith('/identity?audience=rhui&format=full'))
      give('a.b.c');
    else response.writeHead(401).end();
  });
  return new Promise((resolve) => server.listen(0, host, () => resolve(server)));
}

const asked: string[] = [];
let four: http.Server;
let six: http.Server;
let net: Net;
const at = (server: http.Server, host: string): string => `http://${host}:${(server.address() as AddressInfo).port}`;
const cloud = (name: string, services: string[]): Cloud[] => {
  const known = CLOUDS.find((one) => one.name === name) as Cloud;
  return [{ ...known, services }];
};

beforeAll(async () => {
  four = await metadataService('127.0.0.1');
  six = await metadataService('::1');
  // A proxy in the environment must not be asked about this machine.
  net = openNet({ host: new Root('/'), env: { http_proxy: `http://127.0.0.1:${await deadPort()}` }, version: '1' });
});
afterAll(async () => {
  await net.close();
  four.close();
  six.close();
});
beforeEach(() => {
  asked.splice(0);
});

const AWS = 'https://rhui.eu-central-1.aws.ce.redhat.com/pulp/mirror/x';
const GOOGLE = 'https://rhui.googlecloud.com/pulp/mirror/x';

describe('AWS', () => {
  test('document and signature as URL-safe base64, by IMDSv2, once a run', async () => {
    const who = identities(net, cloud('AWS', [at(four, '127.0.0.1')]));
    const headers = await who.headersFor(AWS);
    expect(Object.keys(headers)).toEqual(['x-rhui-id', 'x-rhui-signature']);
    for (const value of Object.values(headers)) expect(value).toMatch(/^[A-Za-z0-9_=-]+$/);
    const back = (text = '') => Buffer.from(text.replace(/-/g, '+').replace(/_/g, '/'), 'base64').toString();
    expect(back(headers['x-rhui-id'])).toBe(DOCUMENT);
    expect(back(headers['x-rhui-signature'])).toBe(SIGNATURE);
    await who.headersFor(AWS);
    expect(asked).toEqual([
      'PUT /latest/api/token',
      'GET /latest/dynamic/instance-identity/document',
      'GET /latest/dynamic/instance-identity/signature',
    ]);
  });

  test('by IPv6 where IPv4 does not answer', async () => {
    const dead = `http://127.0.0.1:${await deadPort()}`;
    const who = identities(net, cloud('AWS', [dead, at(six, '[::1]')]));
    expect(Object.keys(await who.headersFor(AWS))).toHaveLength(2);
  });

  test('the placeholder REGION of its repository files', async () => {
    const who = identities(net, cloud('AWS', [at(four, '127.0.0.1')]));
    const url = 'https://rhui.REGION.aws.ce.redhat.com/pulp/REGION/x';
    expect(await who.placed(url)).toBe('https://rhui.eu-central-1.aws.ce.redhat.com/pulp/REGION/x');
    expect(await who.placed('https://mirror.REGION.example.com/')).toBe('https://mirror.REGION.example.com/');
  });

  test('elsewhere than in the cloud there is no identity, and no error', async () => {
    const who = identities(net, cloud('AWS', [`http://127.0.0.1:${await deadPort()}`]));
    expect(await who.headersFor(AWS)).toEqual({});
  });
});

test('Google Cloud: an identity token made out to RHUI, and no access token', async () => {
  const who = identities(net, cloud('Google Cloud', [at(four, '127.0.0.1')]));
  expect(await who.headersFor(GOOGLE)).toEqual({ 'x-rhui-id': Buffer.from('a.b.c').toString('base64') });
  expect(asked).toEqual([
    'GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=rhui&format=full',
  ]);
});

test.each([
  'https://cdn.redhat.com/content/',
  'http://rhui.eu-central-1.aws.ce.redhat.com/plain-http',
  'https://rhui.eu-central-1.aws.ce.redhat.com.evil.example/',
  'https://evilaws.ce.redhat.com/',
  'https://rhui-1.microsoft.com/pulp/repos/',
  'https://rhui.googlecloud.com.evil.example/',
  'file:///mnt',
  'not a url',
])('nobody is asked for %s', async (url) => {
  const who = identities(
    net,
    CLOUDS.map((one) => ({ ...one, services: [at(four, '127.0.0.1')] })),
  );
  expect(await who.headersFor(url)).toEqual({});
  expect(asked).toEqual([]);
});
