import { expect, test } from '@jest/globals';
import type { Net } from '../../../src/net/access.ts';
import { withoutNetwork } from '../../../src/net/net.ts';

/** A client that says what it was asked for. */
function asked(): { net: Net; urls: string[] } {
  const urls: string[] = [];
  const net = {
    open: (url: string) => {
      urls.push(url);
      return Promise.reject(new Error('opened'));
    },
    close: () => Promise.resolve(),
  } as Net;
  return { net, urls };
}

const options = { access: {}, maxBytes: 1, what: 'package X' } as Parameters<Net['open']>[1];

test('without the network only file: URLs are opened', async () => {
  const { net, urls } = asked();
  const offline = withoutNetwork(net);
  for (const url of ['https://cdn.example.com/x.rpm', 'http://cdn.example.com/x.rpm']) {
    await expect(offline.open(url, options)).rejects.toMatchObject({
      code: 'net-offline',
      message: 'package X is not in the cache, and this run does not use the network.',
    });
  }
  expect(urls).toEqual([]);
  await expect(offline.open('file:///srv/x.rpm', options)).rejects.toThrow('opened');
  expect(urls).toEqual(['file:///srv/x.rpm']);
});
