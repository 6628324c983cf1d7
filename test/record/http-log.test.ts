import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { sandboxGateway } from '../../scripts/gateways/sandbox-gateway.ts';
import type { Deliveries } from '../../scripts/record/http-log.ts';
import { recordDeliveries } from '../../scripts/record/http-log.ts';
import { fixtures } from '../../scripts/record/kinds.ts';
import { dumpDocument } from '../../src/plugin/dump.ts';
import { loadPlugin } from '../../src/plugin/loader.ts';
import { startServer } from '../../src/server/index.ts';

const plugin = path.join(import.meta.dirname, '../../plugins/http-log-enterprise/index.ts');

test("deliveries are recorded, here of http-log-enterprise with http-log's configuration", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-deliveries-'));
  const socket = path.join(folder, 's.sock');
  const dump = dumpDocument([await loadPlugin(plugin)]);
  const server = await startServer({ plugins: [plugin], socket, dataDir: folder, log: () => undefined });
  const gateway = await sandboxGateway({ pluginServers: [{ name: 'http-log-enterprise', socket, dump }] });
  try {
    const recorded = await recordDeliveries(gateway, 'http-log-enterprise');
    const kong = JSON.parse(
      readFileSync(path.join(fixtures, 'http-log-deliveries-3.9.3.json'), 'utf8'),
    ) as Deliveries;
    const paths = ({ deliveries }: Deliveries): string[] =>
      deliveries.map((each) => each.path.replace(/\?.*/, ''));
    expect(new Set(paths(recorded))).toEqual(new Set(paths(kong)));
    const solo = recorded.deliveries.filter(({ path: each }) => each === '/solo');
    expect(solo.map(({ body }) => (body as unknown[]).length)).toEqual([2]);
    const log = recorded.deliveries.find((each) => each.path.startsWith('/log'));
    expect(log).toMatchObject({
      method: 'POST',
      headers: { 'x-a': 'b', 'content-length2': 'z' },
      body: { n: 42, route: { extra: 'x' } },
    });
    expect(recorded).toMatchObject({ gateway: 'sandbox', kong: '3.9.3' });
  } finally {
    await gateway.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
