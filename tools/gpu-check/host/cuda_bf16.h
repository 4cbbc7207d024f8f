// See cuda_fp16.h.
#pragma once
typedef __bf16 __nv_bfloat16;
