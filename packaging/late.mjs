// A stand-in for something of a module that is not loaded yet: it is asked for at the first call, `new` or property.

/** `find` gives the real thing; it is called once. Stands in for functions, classes and objects, not for plain values. */
export function standIn(find) {
  let found;
  const real = () => {
    found ??= find();
    return found;
  };
  return new Proxy(function late() {}, {
    apply: (_, self, args) => Reflect.apply(real(), self, args),
    construct: (_, args) => Reflect.construct(real(), args),
    get: (_, name) => real()[name],
    has: (_, name) => name in real(),
  });
}
