// Doing what does not need an answer while it is on its way.
import { expect, test } from '@jest/globals';
import { type Meanwhile, meanwhile } from '../../../src/pipeline/meanwhile.ts';

const soon = (text: string): Promise<string> => new Promise((resolve) => setTimeout(() => resolve(text), 5));

test('an answer that is there is used at once, and nothing is done twice', async () => {
  const rpm = meanwhile('nine');
  let tried = 0;
  const doing = rpm.early(() => `${++tried} ${rpm.now()}`);
  expect(tried).toBe(1);
  expect(await doing).toBe('1 nine');
  expect(await rpm.late()).toBe('nine');
});

test('what needs no answer does not wait for it; what needs it is done again when it is there', async () => {
  const rpm: Meanwhile<string> = meanwhile(soon('nine'));
  const order: string[] = [];
  void rpm.late().then(() => order.push('answer'));
  order.push(await rpm.early(() => 'without'));
  order.push(await rpm.early(() => `with ${rpm.now()}`));
  expect(order).toEqual(['without', 'answer', 'with nine']);
});

test('whatever fails, the answer is waited for first', async () => {
  const order: string[] = [];
  const asked = soon('nine').then((text) => {
    order.push('answer');
    return text;
  });
  const rpm = meanwhile(asked);
  const fail = (): never => {
    throw new Error('broken');
  };
  await expect(rpm.beside(async () => fail())).rejects.toThrow('broken');
  expect(order).toEqual(['answer']);
  const other = meanwhile(soon('ten').then((text) => order.push(text)));
  await expect(other.early(fail)).rejects.toThrow('broken');
  expect(order).toEqual(['answer', 'ten']);
});

test('no answer is raised where it is wanted, and only there', async () => {
  const rpm = meanwhile(soon('').then(() => Promise.reject(new Error('no answer'))));
  expect(await rpm.beside(async () => 'read')).toBe('read');
  await expect(rpm.late()).rejects.toThrow('no answer');
  await expect(rpm.early(() => rpm.now())).rejects.toThrow('no answer');
});
