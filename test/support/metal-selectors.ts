/**
 * The macOS that first had each selector which runtime/metal sends, as far as is known without a Mac. A selector newer than `oldestSystem`
 * must not be sent before its receiver was asked for it.
 */

/** The oldest macOS that the Metal addon is built for. */
export const oldestSystem = '14.0';

const byVersion: Readonly<Record<string, string>> = {
  '10.0': `UTF8String code count fileURLWithPath: localizedDescription objectAtIndex: reason respondsToSelector: stringWithUTF8String:`,
  '10.11': `addCompletedHandler: commit contents dispatchThreadgroups:threadsPerThreadgroup: endEncoding error
    maxThreadsPerThreadgroup maxTotalThreadsPerThreadgroup name newBufferWithBytesNoCopy:length:options:deallocator:
    newBufferWithLength:options: newCommandQueueWithMaxCommandBufferCount: newComputePipelineStateWithDescriptor:options:reflection:error:
    newFunctionWithName: newLibraryWithSource:options:error: setBuffer:offset:atIndex: setBytes:length:atIndex: setComputeFunction:
    setComputePipelineState: setFastMathEnabled: setLabel: setLanguageVersion: setThreadGroupSizeIsMultipleOfThreadExecutionWidth:
    status`,
  '10.12': `newFunctionWithName:constantValues:error: recommendedMaxWorkingSetSize setConstantValue:type:atIndex:`,
  '10.13': `dispatchThreads:threadsPerThreadgroup: isCapturing maxThreadgroupMemoryLength newLibraryWithURL:error: sharedCaptureManager
    stopCapture useResource:usage:`,
  '10.14': `computeCommandEncoderWithDispatchType: maxBufferLength memoryBarrierWithScope:`,
  '10.15': `GPUEndTime GPUStartTime hasUnifiedMemory setCaptureObject: setDestination: setOutputURL: startCaptureWithDescriptor:error:
    supportsDestination: supportsFamily:`,
  '11.0': `commandBufferWithDescriptor: setErrorOptions: setRetainedReferences:`,
  '13.0': `gpuAddress`,
  '14.0': `architecture`,
  '15.0': `setMathFloatingPointFunctions: setMathMode:`,
};

/** The version by the selector. */
export const introducedIn: ReadonlyMap<string, string> = new Map(
  Object.entries(byVersion).flatMap(([version, selectors]) =>
    selectors.split(/\s+/).map((selector) => [selector, version] as const),
  ),
);

/** Whether macOS `a` came after macOS `b`. */
export function isNewer(a: string, b: string): boolean {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA === majorB ? minorA > minorB : majorA > majorB;
}
