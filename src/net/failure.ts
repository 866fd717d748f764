// From what a socket, a TLS layer or an HTTP status says to an error a person can use.
import { KpmError } from '../errors.ts';

const UNTRUSTED = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const TIMEOUTS = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const CUT = new Set([
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_ABORTED',
]);

/** What the codes of the system mean. Source: connect(2), getaddrinfo(3). */
const UNREACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOTFOUND: 'no host has that name',
  EAI_AGAIN: 'the name service does not answer',
};

/** OpenSSL's reasons where the other side sent something that is no TLS. */
const NO_TLS = /^(?:wrong version number|http request|unknown protocol|packet length too long|record layer failure)$/;

/** The reason alone, out of `HEX:error:HEX:SSL routines:FUNCTION:REASON:FILE:LINE:`. Source: ERR_error_string(3). */
function sslReason(message: string): string {
  return /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/i.exec(message)?.[1] ?? message;
}

interface SystemError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

/** The error that says most: the first of an AggregateError (several addresses tried), else the error itself. */
function innermost(error: unknown): SystemError {
  const outer = (error ?? {}) as SystemError;
  if (outer.errors?.length) return innermost(outer.errors[0]);
  if (outer.code === undefined && outer.cause) return innermost(outer.cause);
  return outer;
}

/** What a request or a body in transit failed of. */
export function transferFailure(error: unknown, what: string, url: string): KpmError {
  const found = innermost(error);
  const code = typeof found.code === 'string' ? found.code : '';
  const message = typeof found.message === 'string' && found.message !== '' ? found.message : code || 'unknown reason';
  const start = `${what}: ${url}`;
  if (UNTRUSTED.has(code)) {
    return new KpmError('tls-untrusted', {
      text: `${start}: the certificate of the server is not trusted (${message}).`,
      subject: url,
      hint: 'Check the clock of this host, its certificate store (update-ca-trust) and sslcacert= of that repository.',
      cause: error,
    });
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO') {
    const reason = sslReason(message);
    return new KpmError('tls-failed', {
      text: `${start}: no secure connection could be made (${reason}).`,
      subject: url,
      hint: NO_TLS.test(reason)
        ? 'What answers there speaks no TLS: check the port, and whether http:// or a proxy is meant.'
        : 'The server may want a client certificate (sslclientcert=, sslclientkey=), or speaks another TLS version.',
      cause: error,
    });
  }
  if (/Proxy response|Proxy Authentication|proxy/i.test(message) && !code.startsWith('E')) {
    return new KpmError('proxy-failed', {
      text: `${start}: the proxy refused the request (${message}).`,
      subject: url,
      hint: 'Check proxy=, proxy_username= and proxy_password=, or the *_proxy variables.',
      cause: error,
    });
  }
  if (TIMEOUTS.has(code)) {
    return new KpmError('net-timeout', {
      text: `${start} did not answer in time.`,
      subject: url,
      hint: 'Check the network, a firewall or a missing proxy= setting.',
      cause: error,
    });
  }
  if (CUT.has(code) || message === 'terminated' || message === 'aborted') {
    return new KpmError('net-cut', {
      text: `${start}: the connection was cut (${message}).`,
      subject: url,
      hint: 'Try again; if it stays so, the server or something on the way is broken.',
      cause: error,
    });
  }
  return new KpmError('net-unreachable', {
    text: `${start} cannot be reached${code in UNREACHED ? `: ${UNREACHED[code]}` : ''} (${message}).`,
    subject: url,
    hint: 'Check the URL, the network, the name service, and proxy= where one is set.',
    cause: error,
  });
}

/** What an HTTP status means; `clientCert` is the certificate file that was used, for 401 and 403. */
export function statusFailure(status: number, what: string, url: string, clientCert: string | null): KpmError {
  const text = `${what}: ${url} answered with HTTP status ${status}`;
  if (status === 401 || status === 403) {
    return new KpmError('http-forbidden', {
      text: `${text} (access refused).`,
      subject: url,
      hint:
        clientCert === null
          ? 'The server wants a subscription: check sslclientcert=, username= and password= of that repository.'
          : `The certificate ${clientCert} is expired, revoked or not entitled; renew it with: subscription-manager refresh`,
    });
  }
  if (status === 407) {
    return new KpmError('proxy-failed', {
      text: `${what}: ${url}: the proxy wants other credentials (HTTP status 407).`,
      subject: url,
      hint: 'Check proxy_username= and proxy_password=.',
    });
  }
  return new KpmError('http-status', {
    text: `${text}${status === 404 ? ' (not found)' : ''}.`,
    subject: url,
    hint:
      status >= 500
        ? 'The server has trouble; try again later.'
        : url.endsWith('.rpm')
          ? 'The server may have changed since its metadata was fetched, or be out of step: try again with --refresh.'
          : 'Check the URL and $releasever of that repository.',
    cause: { status },
  });
}

/** The HTTP status an error is about; null when it is about something else. */
export function statusOf(error: unknown): number | null {
  const status = ((error as { cause?: unknown } | null)?.cause as { status?: unknown } | undefined)?.status;
  return typeof status === 'number' ? status : null;
}
