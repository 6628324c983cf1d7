/** Instructions that `docker import --change` takes. */
const taken = new Set(['CMD', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'LABEL', 'USER']);

/** The settings of a Dockerfile's last stage, one instruction each. */
export function imageChanges(dockerfile: string): string[] {
  const lines = dockerfile.replaceAll(/\\\r?\n\s*/g, ' ').split(/\r?\n/);
  const stage = lines.findLastIndex((line) => /^FROM\s/.test(line));
  return lines.slice(stage + 1).filter((line) => taken.has(line.split(' ', 1)[0] ?? ''));
}
