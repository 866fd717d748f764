import { describe, expect, test } from '@jest/globals';
import { standIn } from '../../../packaging/late.ts';

describe('stand-ins for what is loaded later', () => {
  test('ask once, and not before they are used', () => {
    let asked = 0;
    const double = standIn(() => {
      asked++;
      return (n: number) => 2 * n;
    });
    expect(asked).toBe(0);
    expect([double(2), double(4), asked]).toEqual([4, 8, 1]);
  });

  test('stand in for classes with their statics and instances', () => {
    class Box {
      static of(value: string): Box {
        return new Box(value);
      }
      constructor(readonly value: string) {}
    }
    const Late = standIn(() => Box);
    const made = new Late('a');
    expect([made.value, Late.of('b').value]).toEqual(['a', 'b']);
    expect(made).toBeInstanceOf(Box);
    expect(made instanceof Late).toBe(true);
    expect(Late.of('c') instanceof Late).toBe(true);
  });

  test('stand in for objects', () => {
    const late = standIn(() => ({ one: 1, two: () => 2 }));
    expect([late.one, late.two(), 'one' in late, 'three' in late]).toEqual([1, 2, true, false]);
  });
});
