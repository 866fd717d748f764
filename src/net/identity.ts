// Update servers of clouds (RHUI) that want to know which machine asks: what the distribution's dnf plug-in adds as
// headers. Sent to those servers only, by https only, and fetched from the machine's own metadata service without a proxy.
// Sources: the EC2 user guide, "Instance identity documents" and IMDSv2; RHUI's X-RHUI-ID and X-RHUI-SIGNATURE as
// pulp_rpm's rhui cataloger and the amazon-id plug-in send them (URL-safe base64 of the two documents as they come).
import { KpmError } from '../errors.ts';
import { type Access, type Net, PLAIN_ACCESS } from './access.ts';
import { readAll } from './net.ts';

export type Identity = Readonly<Record<string, string>>;

export interface Cloud {
  readonly name: string;
  /** Origins (`https://host`) of its update servers. */
  readonly servers: RegExp;
  /** Where its metadata service may be asked: by IPv4, by IPv6. */
  readonly services: readonly string[];
  readonly ask: (net: Net, service: string) => Promise<{ headers: Identity; region: string | null }>;
}

const ACCESS: Access = {
  ...PLAIN_ACCESS,
  // The service answers on the machine itself: a proxy would tell about another machine.
  proxy: { ...PLAIN_ACCESS.proxy, use: 'none' },
  timeout: 3,
};

const urlSafe = (bytes: Buffer): string => bytes.toString('base64').replace(/\+/g, '-').replace(/\//g, '_');

async function ask(net: Net, url: string, headers: Identity, method: 'GET' | 'PUT' = 'GET'): Promise<Buffer> {
  const what = 'identity of this machine';
  const opened = await net.open(url, { access: ACCESS, maxBytes: 64 * 1024, what, headers, method });
  return readAll(opened.body);
}

/** AWS: the signed identity document, by IMDSv2 (a token first). */
async function askAws(net: Net, service: string): Promise<{ headers: Identity; region: string | null }> {
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
  const token = (await ask(net, `${service}/latest/api/token`, ttl, 'PUT')).toString('latin1').trim();
  const show = { 'x-aws-ec2-metadata-token': token };
  const document = await ask(net, `${service}/latest/dynamic/instance-identity/document`, show);
  const signature = await ask(net, `${service}/latest/dynamic/instance-identity/signature`, show);
  const region = /"region"\s*:\s*"([a-z0-9-]{1,40})"/.exec(document.toString('utf8'))?.[1] ?? null;
  return { headers: { 'x-rhui-id': urlSafe(document), 'x-rhui-signature': urlSafe(signature) }, region };
}

/**
 * Google Cloud: a signed identity token made out to RHUI alone. The access token of the machine's service account, which
 * opens far more than a repository, is never asked for and never sent.
 */
async function askGoogle(net: Net, service: string): Promise<{ headers: Identity; region: string | null }> {
  const path = '/computeMetadata/v1/instance/service-accounts/default/identity?audience=rhui&format=full';
  const token = await ask(net, `${service}${path}`, { 'metadata-flavor': 'Google' });
  return { headers: { 'x-rhui-id': urlSafe(token) }, region: null };
}

/** Azure's RHUI is content with its client certificate: it has no entry here. */
export const CLOUDS: readonly Cloud[] = [
  {
    name: 'AWS',
    servers: /^https:\/\/(?:[a-z0-9-]+\.)+aws\.ce\.redhat\.com(?::443)?$/i,
    services: ['http://169.254.169.254', 'http://[fd00:ec2::254]'],
    ask: askAws,
  },
  {
    name: 'Google Cloud',
    servers: /^https:\/\/(?:[a-z0-9-]+\.)*(?:rhui|rhel\.updates)\.googlecloud\.com(?::443)?$/i,
    services: ['http://169.254.169.254'],
    ask: askGoogle,
  },
];

export interface Identities {
  /** Headers for a URL; empty unless it is an update server of a cloud and this machine runs there. */
  headersFor(url: string): Promise<Identity>;
  /** The URL with AWS's placeholder REGION filled in. */
  placed(url: string): Promise<string>;
}

/** Asks at most once per cloud and run. */
export function identities(net: Net, clouds: readonly Cloud[] = CLOUDS): Identities {
  const asked = new Map<string, ReturnType<Cloud['ask']>>();
  const nothing = { headers: {}, region: null };
  const about = (url: string): ReturnType<Cloud['ask']> => {
    const cloud = clouds.find(({ servers }) => servers.test(origin(url)));
    if (!cloud) return Promise.resolve(nothing);
    const known = asked.get(cloud.name) ?? first(net, cloud);
    asked.set(cloud.name, known);
    return known;
  };
  return {
    headersFor: async (url) => (await about(url)).headers,
    async placed(url) {
      if (!/^https?:\/\/[^/]*\.REGION\./.test(url)) return url;
      const { region } = await about(url);
      return region === null ? url : url.replace('.REGION.', `.${region}.`);
    },
  };

  async function first(client: Net, cloud: Cloud): ReturnType<Cloud['ask']> {
    for (const service of cloud.services) {
      try {
        return await cloud.ask(client, service);
      } catch (error) {
        // Not there: the next address, or no identity. The update server then says what it thinks of that.
        if (!(error instanceof KpmError)) throw error;
      }
    }
    return nothing;
  }
}

function origin(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return '';
  }
}
