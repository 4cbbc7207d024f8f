import { describe, expect, test } from 'vitest';
import {
  add,
  ceildiv,
  dimVariable,
  divideExact,
  floordiv,
  int,
  max,
  multiply,
  subtract,
} from '../symbolic/integer.ts';
import { Conditions } from './conditions.ts';

const [n, d, h] = [dimVariable('N'), dimVariable('D'), dimVariable('H')];

describe('conditions', () => {
  test('sizes differ when their polynomials do, unless a rounding may make them agree', () => {
    const c = new Conditions();
    expect(c.judge({ relation: 'equal', left: add(n, d), right: add(d, n) })).toBe('proved');
    expect(c.judge({ relation: 'equal', left: n, right: d })).toBe('refuted');
    expect(
      c.judge({ relation: 'equal', left: n, right: multiply(int(2), floordiv(n, int(2))) }),
    ).toBe('open');
    expect(c.judge({ relation: 'equal', left: n, right: multiply(h, divideExact(n, h)!) })).toBe(
      'proved',
    );
  });

  test('dims may be 0', () => {
    const c = new Conditions();
    expect(c.judge({ relation: 'at-least', left: n, right: int(0) })).toBe('proved');
    expect(c.judge({ relation: 'at-least', left: n, right: int(1) })).toBe('open');
    expect(c.judge({ relation: 'at-least', left: int(-1), right: n })).toBe('refuted');
    expect(c.judge({ relation: 'at-least', left: ceildiv(n, int(2)), right: int(0) })).toBe(
      'proved',
    );
    expect(
      c.judge({ relation: 'at-least', left: max(subtract(n, d), int(0)), right: int(0) }),
    ).toBe('proved');
  });

  test('what divides is at least 1', () => {
    const c = new Conditions();
    expect(c.judge({ relation: 'at-least', left: d, right: divideExact(d, h)! })).toBe('proved');
    expect(c.judge({ relation: 'at-least', left: d, right: multiply(h, h) })).toBe('open');
  });

  test('facts decide, also multiples and sums of them', () => {
    const c = new Conditions();
    c.assume({ relation: 'divisible', left: d, right: h });
    c.assume({ relation: 'at-least', left: n, right: int(4) });
    expect(c.judge({ relation: 'divisible', left: multiply(int(3), d), right: h })).toBe('proved');
    expect(c.judge({ relation: 'divisible', left: d, right: int(3) })).toBe('open');
    expect(c.judge({ relation: 'divisible', left: int(7), right: int(3) })).toBe('refuted');
    expect(c.judge({ relation: 'at-least', left: add(n, d), right: int(3) })).toBe('proved');
    expect(new Conditions(c).key).toBe(c.key);
    expect(new Conditions().key).not.toBe(c.key);
  });

  test('a guard is kept once', () => {
    const c = new Conditions();
    c.record({ relation: 'at-least', left: n, right: int(3), message: 'a' });
    c.record({ relation: 'at-least', left: subtract(n, int(3)), right: int(0), message: 'b' });
    expect(c.guards.map((g) => g.message)).toEqual(['a']);
  });
});
