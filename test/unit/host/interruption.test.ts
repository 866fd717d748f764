import { describe, expect, test } from '@jest/globals';
import { Interruption } from '../../../src/host/interruption.ts';

function signals() {
  const [first, again] = [new AbortController(), new AbortController()];
  const said: string[] = [];
  return { first, again, said, run: new Interruption(first.signal, again.signal, (text) => said.push(text)) };
}

describe('a signal', () => {
  test('with nothing begun ends the run at once', async () => {
    const { first, run, said } = signals();
    first.abort('SIGTERM');
    await expect(run.ended).rejects.toMatchObject({ code: 'aborted', message: 'Interrupted (SIGTERM).' });
    expect(said).toEqual([]);
    await expect(run.whole('x', async () => 1)).rejects.toMatchObject({ code: 'aborted' });
  });

  test('that came before the run looked', async () => {
    const first = new AbortController();
    first.abort('SIGINT');
    const run = new Interruption(first.signal, new AbortController().signal, () => undefined);
    await expect(run.ended).rejects.toMatchObject({ code: 'aborted' });
  });

  test('in the middle of something ends the run after it', async () => {
    const { first, run, said } = signals();
    const order: string[] = [];
    run.ended.catch(({ code }) => order.push(code));
    const value = await run.whole('outer', async () => {
      await run.whole('inner', async () => first.abort('SIGINT'));
      await new Promise(setImmediate);
      order.push('done');
      return 7;
    });
    await new Promise(setImmediate);
    expect([value, order]).toEqual([7, ['done', 'interrupted']]);
    expect(said).toHaveLength(1);
  });

  test('clears away what was to be cleared, but not under work that a second one broke off', async () => {
    const cleared: string[] = [];
    const one = signals();
    const waiting = one.run.clearing(
      () => void cleared.push('one'),
      () => new Promise(() => undefined),
    );
    one.first.abort('SIGINT');
    await expect(Promise.race([waiting, one.run.ended])).rejects.toMatchObject({ code: 'aborted' });
    expect(cleared).toEqual(['one']);

    const two = signals();
    await two.run.clearing(
      () => void cleared.push('done before'),
      async () => undefined,
    );
    const busy = two.run.clearing(
      () => void cleared.push('two'),
      () => two.run.whole('x', () => new Promise(() => undefined)),
    );
    two.first.abort('SIGINT');
    two.again.abort('SIGINT');
    await expect(Promise.race([busy, two.run.ended])).rejects.toMatchObject({ code: 'interrupted' });
    expect(cleared).toEqual(['one']);
  });

  test('after something was done does not call the run untouched', async () => {
    const { first, run, said } = signals();
    await run.whole('x', async () => undefined);
    first.abort('SIGINT');
    await expect(run.ended).rejects.toMatchObject({ code: 'interrupted' });
    expect(said).toEqual([]);
  });

  test('that is asked for is left to whoever asks', async () => {
    const { first, run } = signals();
    let ended = false;
    run.ended.catch(() => {
      ended = true;
    });
    await run.whole('outer', async () => {
      expect(run.asked()).toBeNull();
      first.abort('SIGHUP');
      expect(run.asked()).toBe('SIGHUP');
    });
    expect(await run.whole('the end of the run', async () => 'written')).toBe('written');
    await new Promise(setImmediate);
    expect(ended).toBe(false);
  });

  test('and a second one: ended there, with what the innermost work says is left', async () => {
    const { first, again, run } = signals();
    const stuck = run.whole('outer', () => run.whole('the inner rest', () => new Promise<void>(() => {})));
    first.abort('SIGINT');
    again.abort('SIGTERM');
    await expect(Promise.race([stuck, run.ended])).rejects.toMatchObject({
      code: 'interrupted',
      message: 'Interrupted again (SIGTERM), so the run ended where it was.',
      hint: 'the inner rest',
    });
  });

  test('work that fails raises its own error', async () => {
    const { first, run } = signals();
    const work = run.whole('x', async () => {
      first.abort('SIGINT');
      throw new RangeError('its own');
    });
    await expect(work).rejects.toThrow('its own');
  });
});
