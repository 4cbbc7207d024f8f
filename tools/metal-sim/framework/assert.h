/** What Metal's debug layer would stop the process for. */
#pragma once

#import <Foundation/Foundation.h>

/** The name of the exceptions that a broken rule raises. */
extern NSString *const MTLSimAssertion;

/** Raises MTLSimAssertion with the message unless the condition holds. With METAL_SIM_ASSERT=abort it ends the process, as Metal does. */
void MTLSimAssert(BOOL condition, NSString *format, ...) NS_FORMAT_FUNCTION(2, 3);

/**
 * For rules that are found broken where nothing can be raised, when an object goes: ends the process, as Metal does also without a debug
 * layer. Not after an assertion was raised, which may have kept the program from doing its part.
 */
void MTLSimFatal(NSString *message);
