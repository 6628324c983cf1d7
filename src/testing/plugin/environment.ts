/** Sets environment variables; the returned function puts back what was there. `undefined` removes a variable. */
export function setEnvironment(variables: Readonly<Record<string, string | undefined>>): () => void {
  const before = Object.keys(variables).map((name): [string, string | undefined] => [
    name,
    process.env[name],
  ]);
  put(Object.entries(variables));
  return () => put(before);
}

function put(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
