import { expect, test } from 'vitest';
import { suggest } from './suggest.ts';

test('suggestions are near, and never the name itself', () => {
  const names = ['hidden', 'sum', 'mean', 'softmax'];
  expect(suggest('hiden', names)).toBe('hidden');
  expect(suggest('Sum', names)).toBe('sum');
  expect(suggest('sotfmax', names)).toBe('softmax');
  expect(suggest('sum', names)).toBeUndefined();
  expect(suggest('zzz', names)).toBeUndefined();
});
