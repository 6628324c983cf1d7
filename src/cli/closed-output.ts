const names = ['stdout', 'stderr'] as const;
/** The errors of a write to a pipe, a socket or a terminal whose other end is closed. */
const closed = new Set(['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED']);

/**
 * The reader of standard output or standard error may stop at any time (`kong-ts ... | head -1`). What is written
 * afterwards is lost, and the command ends with the status that it would have had. When an output cannot be written for
 * another reason (a full disk), the other one gets a line, and the status is 1. This function does not make the
 * streams: `guardStdout` has to run before they are made.
 */
export function outputMayClose(): void {
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(process, name);
    const make = property?.get?.bind(process) as (() => NodeJS.WriteStream) | undefined;
    if (property === undefined || make === undefined) continue;
    let stream: NodeJS.WriteStream | null = null;
    Object.defineProperty(process, name, {
      ...property,
      get: () => (stream ??= make().on('error', (error: NodeJS.ErrnoException) => onError(name, error))),
    });
  }
}

function onError(name: (typeof names)[number], error: NodeJS.ErrnoException): void {
  if (closed.has(error.code ?? '')) return;
  process.exitCode = 1;
  const message = `kong-ts: What was written to ${name} is lost: ${error.message}.\n`;
  if (name === 'stdout') process.stderr.write(message);
}
