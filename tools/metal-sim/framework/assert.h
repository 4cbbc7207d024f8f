/** What Metal's debug layer would stop the process for. */
#pragma once

#import <Foundation/Foundation.h>

/** The name of the exceptions that a broken rule raises. */
extern NSString *const MTLSimAssertion;

/** Raises MTLSimAssertion with the message unless the condition holds. With METAL_SIM_ASSERT=abort it ends the process, as Metal does. */
void MTLSimAssert(BOOL condition, NSString *format, ...) NS_FORMAT_FUNCTION(2, 3);
