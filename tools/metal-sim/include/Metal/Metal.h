/**
 * Metal's host API for compute, for Objective-C and Objective-C++ over GNUstep: Apple's names, selectors and values, declared from the
 * documentation. What is not here (textures, rendering, visible functions, tensors) does not compile, on purpose: the simulator would not
 * check it. Instance variables stand in interfaces because the runtime library of GCC wants them there.
 */
#pragma once

#import <Metal/MTLCapture.h>
#import <Metal/MTLCommandBuffer.h>
#import <Metal/MTLCommandEncoder.h>
#import <Metal/MTLComputePipeline.h>
#import <Metal/MTLDevice.h>
#import <Metal/MTLLibrary.h>
#import <Metal/MTLResource.h>
#import <Metal/MTLTypes.h>
