import { describe, expect, test } from 'vitest';
import { scanMetal } from './scan-source.ts';

const idiomatic = `
#include <metal_stdlib>
#include "common.h"
using namespace metal;
#define TILE 8
/* kernel void commented(device float* x) {} */
constant float scale [[function_constant(0)]];
constant int table[3] = {1, 2, 3};
struct Params { uint rows; uint columns; };
typedef float real;
using vec = float4;
enum class Mode { fast, slow };
static inline float twice(float x) { return 2 * x; } // } not a bracket
template <typename T> [[kernel]] void add(device T* x [[buffer(0)]]) { x[0] = T("}"[0]); }
template [[host_name("add_f32")]] [[kernel]] decltype(add<float>) add<float>;
namespace rows {
inline float thrice(float x) { return 3 * x; }
[[kernel, max_total_threads_per_threadgroup(64)]] void scale_rows(device float* x [[buffer(0)]],
    uint i [[thread_position_in_grid]]) { if (i > 0) { x[i] = 1; } }
}
kernel void plain(device const float *x, constant Params &p) { }
void declared(float x);
`;

describe('scanMetal', () => {
  const scanned = scanMetal(idiomatic);

  test('finds kernels by the names that a library has them under', () => {
    expect(scanned.kernels).toEqual(['add_f32', 'rows::scale_rows', 'plain']);
  });

  test('finds what is declared at file scope, with its namespace', () => {
    expect(scanned.names).toEqual(
      'TILE scale table Params real vec Mode twice add rows::thrice rows::scale_rows plain declared'.split(
        ' ',
      ),
    );
  });

  test('finds includes of files, and then knows that there may be more', () => {
    expect(scanned.includes).toEqual([
      { path: 'common.h', offset: idiomatic.indexOf('#include "') },
    ]);
    expect(scanned.isOpen).toBe(true);
    expect(scanMetal('kernel void f() {}').isOpen).toBe(false);
  });

  test('macros that make kernels leave the list open', () => {
    expect(scanMetal('#define K(n) kernel void n() {}\nK(a)').isOpen).toBe(true);
  });

  test('ends on any text', () => {
    for (let cut = 0; cut < idiomatic.length; cut += 7) scanMetal(idiomatic.slice(cut, cut + 90));
  });
});
