// A stand-in for something of a module that is not loaded yet: it is asked for at the first call, `new` or property.
// The build puts it in the place of what is imported from the heavy modules of node (see LATE in build.mjs).

/** `find` gives the real thing; it is called once. Stands in for functions, classes and objects, not for plain values. */
export function standIn<T extends object>(find: () => T): T {
  let found: T | undefined;
  const real = (): T => {
    found ??= find();
    return found;
  };
  // A function, so that the stand-in can be called and constructed.
  const target = function late() {};
  return new Proxy(target, {
    apply: (_, self, args) => Reflect.apply(real() as never, self, args),
    construct: (_, args) => Reflect.construct(real() as never, args),
    get: (_, name) => Reflect.get(real(), name),
    has: (_, name) => Reflect.has(real(), name),
  }) as unknown as T;
}
