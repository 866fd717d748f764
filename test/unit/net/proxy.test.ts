import { describe, expect, test } from '@jest/globals';
import { PLAIN_ACCESS, type ProxyAccess } from '../../../src/net/access.ts';
import { proxyFor } from '../../../src/net/proxy.ts';

const unset = PLAIN_ACCESS.proxy;
const via = (url: string, env: Record<string, string>, access: ProxyAccess = unset): string | null =>
  proxyFor(new URL(url), access, env)?.url ?? null;

describe('the proxy from the environment', () => {
  test.each<[string, Record<string, string>, string | null]>([
    ['http://h/', { http_proxy: 'http://p:3128' }, 'http://p:3128'],
    ['http://h/', { HTTP_PROXY: 'http://p:3128' }, null],
    ['https://h/', { http_proxy: 'http://p:3128' }, null],
    ['https://h/', { https_proxy: 'http://p:3128' }, 'http://p:3128'],
    ['https://h/', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128'],
    ['https://h/', { all_proxy: 'p:3128' }, 'http://p:3128'],
    ['https://h/', { https_proxy: '', all_proxy: 'p:3128' }, null],
    ['http://h/', { http_proxy: 'http://p' }, 'http://p:1080'],
    ['http://h/', { http_proxy: 'http://p:80' }, 'http://p'],
    ['file:///x', { http_proxy: 'http://p:1', all_proxy: 'http://p:1' }, null],
    ['http://h.example.com/', { http_proxy: 'p:1', no_proxy: 'example.com' }, null],
    ['http://h.example.com/', { http_proxy: 'p:1', no_proxy: '.example.com' }, null],
    ['http://notexample.com/', { http_proxy: 'p:1', no_proxy: 'example.com' }, 'http://p:1'],
    ['http://h/', { http_proxy: 'p:1', NO_PROXY: '*' }, null],
    ['http://10.1.2.3/', { http_proxy: 'p:1', no_proxy: '10.0.0.0/8' }, null],
    ['http://11.1.2.3/', { http_proxy: 'p:1', no_proxy: '10.0.0.0/8, 12.0.0.0/8' }, 'http://p:1'],
    ['http://[fd00::1]/', { http_proxy: 'p:1', no_proxy: 'fd00::/16' }, null],
    ['http://[fd00::1]/', { http_proxy: 'p:1', no_proxy: '[fd00::1]' }, null],
  ])('%s with %j', (url, env, proxy) => {
    expect(via(url, env)).toBe(proxy);
  });
});

describe('the proxy from the options', () => {
  test('proxy=_none_ beats the environment', () => {
    expect(via('http://h/', { http_proxy: 'p:1' }, { ...unset, use: 'none' })).toBeNull();
  });

  test('a configured proxy counts for every host, no_proxy or not', () => {
    const access: ProxyAccess = { ...unset, use: 'url', url: 'http://p:3128', username: 'u', password: 'p:w' };
    const route = proxyFor(new URL('https://h/'), access, { no_proxy: '*' });
    expect(route?.url).toBe('http://p:3128');
    expect(Buffer.from(route?.authorization?.slice(6) ?? '', 'base64').toString()).toBe('u:p:w');
  });

  test('credentials inside the URL are used and not shown', () => {
    const route = proxyFor(new URL('http://h/'), { ...unset, use: 'url', url: 'http://u%40x:s%3A@p:1' }, {});
    expect(route?.url).toBe('http://p:1');
    expect(Buffer.from(route?.authorization?.slice(6) ?? '', 'base64').toString()).toBe('u@x:s:');
  });

  test('SOCKS is refused by name, without its password', () => {
    const access: ProxyAccess = { ...unset, use: 'url', url: 'socks5://u:secret@p:1080' };
    expect(() => proxyFor(new URL('http://h/'), access, {})).toThrow('socks5://p:1080 is a socks5 proxy');
  });
});
