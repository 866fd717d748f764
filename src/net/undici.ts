// The part of undici that is used, by the files it lies in: the package as a whole also loads fetch, caches, mocks and
// WebSockets, which takes more than twice as long (docs/performance.md).
import type { Dispatcher } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import request from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import DispatcherClass from 'undici/lib/dispatcher/dispatcher.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// The package's index does this, with all there is: a ProxyAgent asks its connection to the proxy to `connect`.
Object.assign(DispatcherClass.prototype, { connect, request });

export { Agent, ProxyAgent };

/** Sends a request over a dispatcher and gives the answer once its headers are there; what undici's `request` does. */
export function send(
  dispatcher: Dispatcher,
  url: URL,
  options: Pick<Dispatcher.RequestOptions, 'method' | 'headers'>,
): Promise<Dispatcher.ResponseData> {
  return dispatcher.request({ ...options, origin: url.origin, path: url.pathname + url.search });
}
