import { expect, test } from 'vitest';
import { format } from './format.ts';

function formatted(text: string): string {
  const result = format(text, 'a.mlx');
  if (!('text' in result)) throw new Error(JSON.stringify(result.diagnostics));
  expect(format(result.text, 'a.mlx')).toEqual(result);
  return result.text;
}

test('lays out declarations, keeps comments and single blank lines', () => {
  const text = `import {a} from "x"; // trailing


/// doc
fn f( // after
  x:f32[2 * N,...S], // the x
  // own line
  y: f32
  // dangling
)->f32 where N%2==0 { let a=b+ // why
    c;

    // before
    -x**2|>f<4>()|>map(|p,g|p-g,ps)
    // last
}
struct A<T:float=f32>{a:T,
  /// b
  b:f32}
`;
  expect(formatted(text)).toMatchInlineSnapshot(`
    "import { a } from "x"; // trailing

    /// doc
    fn f( // after
      x: f32[2*N, ...S], // the x
      // own line
      y: f32,
      // dangling
    ) -> f32
    where N % 2 == 0 {
      let a = b + c; // why

      // before
      -x ** 2 |> f<4>() |> map(|p, g| p - g, ps)
      // last
    }
    struct A<T: float = f32> {
      a: T,
      /// b
      b: f32,
    }
    "
  `);
});

test('breaks what does not fit: parameters, operators, arguments', () => {
  const long = (name: string): string => name.repeat(14);
  const text = `fn f(${long('a')}: f32, ${long('bc')}: f32, ${long('d')}: f32[N, M]) -> f32[N, M] {
  let x = ${long('ab')} + ${long('bc')} * ${long('cd')} + ${long('d')};
  let y = map(|p, g| { let q = p;
    q }, ${long('ab')}, ${long('cd')}, ${long('e')}, ${long('f')});
  vmap(|x| {
    x })
}`;
  expect(formatted(text)).toMatchInlineSnapshot(`
    "fn f(
      aaaaaaaaaaaaaa: f32,
      bcbcbcbcbcbcbcbcbcbcbcbcbcbc: f32,
      dddddddddddddd: f32[N, M],
    ) -> f32[N, M] {
      let x = abababababababababababababab
        + bcbcbcbcbcbcbcbcbcbcbcbcbcbc * cdcdcdcdcdcdcdcdcdcdcdcdcdcd
        + dddddddddddddd;
      let y = map(
        |p, g| { let q = p; q },
        abababababababababababababab,
        cdcdcdcdcdcdcdcdcdcdcdcdcdcd,
        eeeeeeeeeeeeee,
        ffffffffffffff,
      );
      vmap(|x| {
        x
      })
    }
    "
  `);
});

test('returns the problems of a source that does not parse', () => {
  const result = format('fn f( {', 'a.mlx');
  expect('diagnostics' in result && result.diagnostics.length).toBe(1);
});

test.each(['', '\n\n', '// only\n', '// a\n\n\n// b', '\r\n// c\r\n'])('formats %j', (text) => {
  expect(formatted(text).replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
});
