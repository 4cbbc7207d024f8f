/** Memory that begins at a page and ends with one, which a GPU can use where it is. */
export function pages(count: number): ArrayBuffer {
  const { Memory } = Reflect.get(globalThis, 'WebAssembly') as {
    readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  };
  return new Memory({ initial: count }).buffer;
}
