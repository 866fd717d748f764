// The part of undici that is used, by name: a lazily loaded CommonJS package has no named exports in the bundle.
export { Agent, ProxyAgent, request } from 'undici';
