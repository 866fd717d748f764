// Which kernels dnf5 is stopped from bringing: while there is something to protect by staying, and only what is certain.
import { describe, expect, test } from '@jest/globals';
import { veto } from '../../../src/decide/veto.ts';
import { installedFrom, K, kernel, offer, world } from '../../support/world.ts';

const NEW = '5.14.0-503.11.1.el9_5.x86_64';
const filtered = { autoupdate: false, autofilter: true };
const base = { settings: filtered, kernels: [kernel(K)], offered: [offer(K, '1-2')] };
const repository = (used: boolean) => ({ ...world({}).repositories[0], id: 'extra', used }) as never;

describe('veto', () => {
  test.each([
    ['a kernel without live patches', {}, [NEW], [NEW]],
    ['the filter is off', { settings: { autoupdate: true, autofilter: false } }, [NEW], []],
    ['a kernel that has them', { offered: [offer(K, '1-2'), offer(NEW, '1-1')] }, [NEW], []],
    ['a kernel that is subscribed by an empty package', { offered: [offer(K, '1-2'), offer(NEW, '0-0')] }, [NEW], []],
    ['a kernel that is here already', { kernels: [kernel(K), kernel(NEW)] }, [NEW], []],
    ['the last stream of this machine has ended', { offered: [] }, [NEW], []],
    [
      'only that of a kernel that is not here goes on',
      { offered: [offer('5.14.0-427.13.1.el9_4.x86_64', '1-1')] },
      [NEW],
      [],
    ],
    [
      'of two only the one',
      { offered: [offer(K, '1-2'), offer('5.14.0-427.13.1.el9_4.x86_64', '1-1')] },
      ['5.14.0-427.13.1.el9_4.x86_64', NEW],
      [NEW],
    ],
  ] as const)('%s', (_name, more, arriving, refused) => {
    expect(veto(world({ ...base, ...more } as never), arriving)).toEqual({ refused, unknown: null });
  });

  test('where no repository is enabled nobody knows what there is', () => {
    const installed = [installedFrom(offer(K, '0-0'), K)];
    const found = veto(world({ ...base, offered: [], installed, repositories: [] }), [NEW]);
    expect(found).toEqual({
      refused: [],
      unknown: 'whether there are live patches is not known: no repository is enabled',
    });
  });

  test('a repository that could not be read may be the one with the patches', () => {
    const found = veto(world({ ...base, repositories: [repository(true), repository(false)] }), [NEW]);
    expect(found.refused).toEqual([]);
    expect(found.unknown).toMatch(/extra could not be read/);
    expect(veto(world({ ...base, repositories: [repository(true)] }), [NEW]).refused).toEqual([NEW]);
  });
});
