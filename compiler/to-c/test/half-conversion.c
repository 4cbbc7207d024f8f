// Checks the bit code of half.h against the compiler's _Float16: every f16, and floats around every rounding boundary.
#include "half.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

static void check(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  const _Float16 wanted = (_Float16)x;
  uint16_t want;
  memcpy(&want, &wanted, 2);
  const uint16_t got = f16_bits(f32_to_f16(x));
  const bool both_nan = (want & 0x7fff) > 0x7c00 && (got & 0x7fff) > 0x7c00;
  if (got != want && !both_nan && failures++ < 5) printf("f32_to_f16(%08x) gave %04x, not %04x\n", bits, got, want);
}

int main(void) {
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const uint16_t half = (uint16_t)bits;
    _Float16 value;
    memcpy(&value, &half, 2);
    const float wanted = (float)value;
    const float got = f16_to_f32(f16_from_bits(half));
    const bool same = got == wanted ? signbit(got) == signbit(wanted) : got != got && wanted != wanted;
    if (!same && failures++ < 5) printf("f16_to_f32(%04x) gave %g, not %g\n", half, got, wanted);
    // the float itself, its neighbours, and the midpoint to the next f16 with its neighbours
    uint32_t at;
    memcpy(&at, &wanted, 4);
    for (uint32_t d = 0; d < 5; d++) check(at + d - 2), check(at + 0x1000 + d - 2);
  }
  for (uint64_t bits = 0; bits < 0x100000000; bits += 997) check((uint32_t)bits);
  printf("%d failures\n", failures);
  return failures != 0;
}
