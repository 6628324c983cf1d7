import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { KongAdmin } from '../../src/kong-admin/client.ts';
import type { EnableResult } from '../../src/kong-setup/enable/enable.ts';
import { enablePlugin } from '../../src/kong-setup/enable/enable.ts';

/** Admin APIs that enable --workspace meets: of a Kong, and of what stands in its place. */

let server: Server | null = null;
afterEach(async () => {
  const open = server;
  server = null;
  if (open !== null) await new Promise((resolve) => open.close(resolve));
});

type Answers = Readonly<Record<string, readonly [status: number, body: unknown]>>;
const asked: string[] = [];

async function enable(answers: Answers, workspace: string, name = 'kong/3.9.3'): Promise<EnableResult> {
  asked.length = 0;
  const made = createServer((request, response) => {
    request.resume();
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    asked.push(line);
    const [status, body] = answers[line] ?? answers['*'] ?? [404, { message: 'Not found' }];
    response.writeHead(status, { server: name });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((made.address() as AddressInfo).port)}`;
  return enablePlugin(new KongAdmin({ url }), {
    plugin: 'demo',
    workspace,
    createWorkspace: false,
    scope: {},
    config: {},
    dryRun: false,
  });
}
const forbidden = [403, { message: "you don't have permissions to read or write" }] as const;

it('an administrator of one workspace, who may not list them all, gets the plugin into that one', async () => {
  const answers: Answers = {
    'GET /workspaces?size=1': forbidden,
    'GET /team-a/plugins?size=1000': [200, { data: [], next: null }],
    'POST /team-a/plugins': [201, { id: '1', name: 'demo' }],
  };
  expect(await enable(answers, 'team-a')).toMatchObject({
    action: 'create',
    workspace: { name: 'team-a', action: 'existing' },
  });
});

it('who may not look into that one either is told what Kong said', async () => {
  await expect(enable({ '*': forbidden }, 'team-a')).rejects.toThrow(
    /\/team-a\/plugins.* was answered with 403: you don't have permissions/,
  );
});

it('a token that is missing is told from a workspace that is', async () => {
  await expect(enable({ '*': [401, { message: 'Invalid RBAC credentials' }] }, 'team-a')).rejects.toThrow(
    /401: Invalid RBAC credentials/,
  );
});

it('a Kong without workspaces says so where its GET / is a 500', async () => {
  const answers: Answers = {
    'GET /status': [200, { database: { reachable: true } }],
    'GET /plugins/enabled': [200, { enabled_plugins: ['demo'] }],
    'GET /': [500, { message: 'An unexpected error occurred' }],
  };
  await expect(enable(answers, 'team-a')).rejects.toThrow(/This Kong \(3\.9\.3\) has no workspaces/);
  expect(asked).not.toContain('GET /');
});

it('a proxy in place of the Admin API is not a Kong without workspaces', async () => {
  const message = 'no Route matched with those values';
  await expect(enable({ '*': [404, { message }] }, 'team-a')).rejects.toThrow(
    /\/status.* 404: no Route matched/,
  );
});

it('a page of HTML is not an Admin API', async () => {
  await expect(enable({ '*': [200, '<html>'] }, 'team-a')).rejects.toThrow(/not JSON/);
});
