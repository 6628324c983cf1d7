// A place for logs and webhooks to go to: POST anything anywhere, GET /received shows the last hundred.
import { createServer } from 'node:http';

const received = [];

createServer((request, response) => {
  if (request.method === 'GET' && request.url === '/received') {
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify(received, null, 2)}\n`);
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    if (body.length < 1024 * 1024) body += chunk;
  });
  request.on('end', () => {
    received.push({ method: request.method, path: request.url, headers: request.headers, body });
    if (received.length > 100) received.shift();
    response.end('ok\n');
  });
}).listen(9080, '0.0.0.0');

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
