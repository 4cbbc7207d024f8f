import { expect, test } from 'vitest';
import { parseFunction } from '../tensor-ir/parse.ts';
import { printFunction } from '../tensor-ir/print.ts';
import { verifyFunction } from '../tensor-ir/verify.ts';
import { shareCommonSubexpressions } from './common-subexpressions.ts';
import { eliminateDeadCode } from './dead-code.ts';

function clean(text: string): string {
  const func = eliminateDeadCode(parseFunction(text));
  verifyFunction(func, 'plain');
  expect(eliminateDeadCode(func)).toBe(func);
  return printFunction(func);
}

test('operations that nobody reads go, and what only they read', () => {
  expect(
    clean(`func f(%0: f32[N]) {
  %1 = sin %0 : f32[N]
  %2 = cos %1 : f32[N]
  %3 = exp %0 : f32[N]
  return %3
}
`),
  ).toBe(`func f(%0: f32[N]) {
  %1 = exp %0 : f32[N]
  return %1
}
`);
});

test('a scan loses carries, sequences, consts and stacks that serve no result', () => {
  expect(
    clean(`func f(%0: f32, %1: f32, %2: f32[N], %3: f32[N], %4: f32) {
  %5, %6, %7, %8 = scan %0, %1, %2, %3, %4 {carries = 2, sequences = 2, length = int(N), reverse = false} : f32, f32, f32[N], f32[N]
    region step(%9: i32, %10: f32, %11: f32, %12: f32, %13: f32, %14: f32) {
      %15 = add %10, %12 : f32
      %16 = mul %11, %13 : f32
      %17 = mul %16, %14 : f32
      return %15, %17, %15, %16
    }
  return %5, %7
}
`),
  ).toBe(`func f(%0: f32, %1: f32, %2: f32[N], %3: f32[N], %4: f32) {
  %5, %6 = scan %0, %2 {carries = 1, sequences = 1, length = int(N), reverse = false} : f32, f32[N]
    region step(%7: i32, %8: f32, %9: f32) {
      %10 = add %8, %9 : f32
      return %10, %10
    }
  return %5, %6
}
`);
});

test('a carry that feeds a live one stays', () => {
  const text = `func f(%0: f32, %1: f32) {
  %2, %3 = scan %0, %1 {carries = 2, sequences = 0, length = int(4), reverse = false} : f32, f32
    region step(%4: i32, %5: f32, %6: f32) {
      %7 = add %5, %6 : f32
      %8 = mul %6, %6 : f32
      return %7, %8
    }
  return %2
}
`;
  expect(clean(text)).toContain('carries = 2');
});

test('a while loop keeps what its condition reads', () => {
  expect(
    clean(`func f(%0: i32, %1: f32, %2: f32) {
  %3, %4, %5 = while %0, %1, %2 {carries = 3} : i32, f32, f32
    region condition(%6: i32, %7: f32, %8: f32) {
      %9 = constant {dtype = "i32", shape = [], value = 5} : i32
      %10 = lt %6, %9 : bool
      return %10
    }
    region body(%11: i32, %12: f32, %13: f32) {
      %14 = constant {dtype = "i32", shape = [], value = 1} : i32
      %15 = add %11, %14 : i32
      %16 = add %12, %12 : f32
      %17 = mul %13, %13 : f32
      return %15, %16, %17
    }
  return %4
}
`),
  ).toBe(`func f(%0: i32, %1: f32, %2: f32) {
  %3, %4 = while %0, %1 {carries = 2} : i32, f32
    region condition(%5: i32, %6: f32) {
      %7 = constant {dtype = "i32", shape = [], value = 5} : i32
      %8 = lt %5, %7 : bool
      return %8
    }
    region body(%9: i32, %10: f32) {
      %11 = constant {dtype = "i32", shape = [], value = 1} : i32
      %12 = add %9, %11 : i32
      %13 = add %10, %10 : f32
      return %12, %13
    }
  return %4
}
`);
});

test('a branch loses results and the arguments that only they read', () => {
  expect(
    clean(`func f(%0: bool, %1: f32, %2: f32) {
  %3, %4 = cond %0, %1, %2 : f32, f32
    region then(%5: f32, %6: f32) {
      return %5, %6
    }
    region otherwise(%7: f32, %8: f32) {
      %9 = neg %7 : f32
      %10 = neg %8 : f32
      return %9, %10
    }
  return %3
}
`),
  ).toBe(`func f(%0: bool, %1: f32, %2: f32) {
  %3 = cond %0, %1 : f32
    region then(%4: f32) {
      return %4
    }
    region otherwise(%5: f32) {
      %6 = neg %5 : f32
      return %6
    }
  return %3
}
`);
});

test('equal operations are computed once: operands in any order, equal regions, but not barriers', () => {
  const func = shareCommonSubexpressions(
    parseFunction(`func f(%0: f32, %1: f32, %2: bool) {
  %3 = add %0, %1 : f32
  %4 = add %1, %0 : f32
  %5 = lt %0, %1 : bool
  %6 = gt %1, %0 : bool
  %7 = sub %0, %1 : f32
  %8 = sub %1, %0 : f32
  %9 = cond %2, %3 : f32
    region then(%10: f32) {
      %11 = exp %10 : f32
      return %11
    }
    region otherwise(%12: f32) {
      return %12
    }
  %13 = cond %2, %4 : f32
    region a(%14: f32) {
      %15 = exp %14 : f32
      return %15
    }
    region b(%16: f32) {
      return %16
    }
  %17 = optimization_barrier %0 : f32
  %18 = optimization_barrier %0 : f32
  return %3, %4, %5, %6, %7, %8, %9, %13, %17, %18
}
`),
  );
  verifyFunction(func, 'plain');
  const [a, c, p, q, s, t, u, v, x, y] = func.results;
  expect(a).toBe(c);
  expect(p).toBe(q);
  expect(s).not.toBe(t);
  expect(u).toBe(v);
  expect(x).not.toBe(y);
});
