// Whether the proxy (or, without one, the Admin API) takes connections; `kong health` and HEALTHCHECK run it.
import { connect } from 'node:net';

const listeners = [process.env.KONG_PROXY_LISTEN, process.env.KONG_ADMIN_LISTEN].join(',').split(',');
const ports = listeners.map((text) => /:(\d+)/.exec(text)?.[1]).filter((port) => port !== undefined);
const socket = connect(Number(ports[0] ?? 8000), '127.0.0.1');
socket.setTimeout(3000, () => socket.destroy(new Error('no answer in 3 s')));
socket.on('connect', () => socket.end());
socket.on('error', (error) => {
  process.stderr.write(`Error: port ${String(ports[0] ?? 8000)}: ${error.message}\n`);
  process.exitCode = 1;
});
