import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { fromContainer } from '../../../../src/cli/dev/docker.ts';
import { startEcho } from '../../../../src/cli/dev/echo.ts';
import { attemptOf } from '../../../../src/cli/dev/gateway.ts';
import { choosePort } from '../../../../src/cli/dev/ports.ts';
import { requestLine } from '../../../../src/cli/dev/request-line.ts';
import { palette } from '../../../../src/terminal/index.ts';
import { freePort } from '../../../support/free-port.ts';

const report = {
  method: 'GET',
  target: '/greet?name=Ada',
  status: 200,
  source: 'service',
  ms: 1234,
  upstreamMs: 3.2,
  route: { name: 'greet' },
  phases: [
    { plugin: 'hello', phase: 'access', ms: 0.42, calls: 1, frames: 6, failure: null },
    { plugin: 'other', phase: 'access', ms: 12.3, calls: 0, frames: 3, failure: 'broken' },
    { plugin: 'hello', phase: 'log', ms: 2, calls: 2, frames: 9, failure: null },
  ],
} as const;

test('the line of a request has each plugin once, with its phases in their order', () => {
  const line = requestLine(report, new Date(2026, 0, 2, 3, 4, 5), palette(false));
  expect(line).toBe(
    '03:04:05 GET /greet?name=Ada 200 1.2 s (upstream 3.2 ms)' +
      ' | hello access 0.4 ms 1 call 6 frames, log 2 ms 2 calls 9 frames' +
      ' | other access 12 ms 0 calls 3 frames failed',
  );
});

test('a request without a route says so, and a target cannot write to the terminal', () => {
  const line = requestLine(
    {
      ...report,
      target: `/\u001b[2J${'x'.repeat(500)}`,
      status: 404,
      route: null,
      phases: [],
      upstreamMs: null,
    },
    new Date(),
    palette(false),
  );
  expect(line).toContain('no route in kong.yml');
  expect(line).not.toContain('\u001b');
  expect(line.length).toBeLessThan(220);
});

test('the request to try is one that a route takes', () => {
  const route = { paths: ['/a'], methods: null, hosts: null };
  expect(attemptOf('http://h', [route])).toBe("curl -i 'http://h/a'");
  expect(attemptOf('http://h', [{ ...route, methods: ['POST'], hosts: ['*.x', 'b.x'] }])).toBe(
    "curl -i -X POST -H 'Host: b.x' 'http://h/a'",
  );
  expect(attemptOf('http://h', [{ ...route, paths: ['~/a'] }])).toBeNull();
  expect(attemptOf('http://h', [{ paths: null, methods: null, hosts: ['*.x'] }])).toBeNull();
});

test('a port that is taken is passed over, unless a person has named it', async () => {
  const port = await freePort();
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  const wanted = { option: '--proxy-port', port: taken };
  const next = await choosePort({ ...wanted, given: false }, '127.0.0.1');
  expect(next).toBeGreaterThan(taken);
  expect(await choosePort({ ...wanted, given: false }, '127.0.0.1', new Set([next]))).toBeGreaterThan(next);
  await expect(choosePort({ ...wanted, given: true }, '127.0.0.1')).rejects.toThrow(/--proxy-port PORT/);
  server.close();
});

test('the echo answers with what it has been sent', async () => {
  const port = await freePort();
  const echo = await startEcho('127.0.0.1', port);
  const response = await fetch(`http://127.0.0.1:${String(port)}/a?b=c`, {
    method: 'PUT',
    headers: { 'x-own': 'yes' },
    body: '{"n":1}',
  });
  expect(await response.json()).toMatchObject({
    method: 'PUT',
    path: '/a?b=c',
    headers: { 'x-own': 'yes' },
    body: { n: 1 },
  });
  await echo.close();
});

test('for a Kong in a container this machine has another name', () => {
  expect(fromContainer('url: http://127.0.0.1:9080/x, http://localhost:9080', 9080)).toBe(
    'url: http://host.docker.internal:9080/x, http://host.docker.internal:9080',
  );
  expect(fromContainer('http://127.0.0.1:90801', 9080)).toBe('http://127.0.0.1:90801');
});
