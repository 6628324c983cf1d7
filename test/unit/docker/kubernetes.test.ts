import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { imageChanges } from '../../../scripts/sandbox-image/dockerfile.ts';
import { manifest } from './kubernetes-schema.ts';

const folder = path.join(import.meta.dirname, '../../../docker');
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
/** Anchors are resolved as Kubernetes' own YAML reader does; what is said twice in a map is an error. */
const documents = parseAllDocuments(read('kubernetes/sidecar.yaml'), { uniqueKeys: true });
const raw = documents.map((document) => document.toJS() as unknown);

type Container = z.infer<typeof manifest>[2]['spec']['template']['spec']['containers'][number];

test('every field is one that Kubernetes has, in its place, with a value of its type', () => {
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  expect(manifest.safeParse(raw).error?.issues ?? []).toEqual([]);
});

test('a field that Kubernetes does not have does not pass', () => {
  const wrong = structuredClone(raw) as { spec: { template: { spec: { containers: object[] } } } }[];
  Object.assign(wrong[2]?.spec.template.spec.containers[0] ?? {}, { readinesProbe: {} });
  expect(manifest.safeParse(wrong).success).toBe(false);
});

describe('what the parts of the manifest say of each other', () => {
  const [config, , deployment] = manifest.parse(raw);
  const { spec: pod, metadata } = deployment.spec.template;
  const named = (name: string): Container => {
    const found = pod.containers.find((container) => container.name === name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  };
  const kong = named('kong');
  const server = named('plugin-server');
  const [dumps] = pod.initContainers;
  const all = [...pod.initContainers, ...pod.containers];
  const environment = Object.fromEntries((kong.env ?? []).map(({ name, value }) => [name, value]));
  const setting = (name: string): string => environment[name] ?? '';
  const mountOf = (container: Pick<Container, 'volumeMounts'> | undefined, file: string) =>
    container?.volumeMounts.find(({ mountPath }) => file === mountPath || file.startsWith(`${mountPath}/`));

  test('names are there once; the Deployment selects its own pods', () => {
    for (const names of [
      all.map(({ name }) => name),
      pod.volumes.map(({ name }) => name),
      (kong.env ?? []).map(({ name }) => name),
      ...all.map(({ volumeMounts }) => volumeMounts.map(({ mountPath }) => mountPath)),
    ])
      expect(new Set(names).size).toBe(names.length);
    expect(metadata.labels).toMatchObject(deployment.spec.selector.matchLabels);
  });

  test('every mount has a volume and every volume a mount', () => {
    const mounted = new Set(all.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)));
    expect([...mounted].sort()).toEqual(pod.volumes.map(({ name }) => name).sort());
    for (const { configMap } of pod.volumes)
      if (configMap !== undefined) expect(configMap.name).toBe(config.metadata.name);
  });

  test('nothing runs as root or gets more rights; the root file systems are read-only', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
    for (const { securityContext } of all)
      expect(securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
  });

  test('folders that are written to are empty ones of the pod', () => {
    const written: [Container, string[]][] = [
      [kong, [setting('KONG_PREFIX'), '/tmp']],
      [
        server,
        [path.dirname(setting('KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_SOCKET')), '/var/lib/kong-ts', '/tmp'],
      ],
    ];
    for (const [container, folders] of written)
      for (const target of folders) {
        const mount = mountOf(container, target);
        expect(mount, `${container.name} ${target}`).toMatchObject({ mountPath: target });
        expect(pod.volumes.find(({ name }) => name === mount?.name)).toHaveProperty('emptyDir');
      }
    // A mount there would hide Kong's own libraries.
    for (const { mountPath } of kong.volumeMounts)
      expect('/usr/local/kong'.startsWith(mountPath)).toBe(false);
  });

  test('Kong reads the dumps that the init container writes, and meets the sidecar on one socket', () => {
    const dump = /^cat (\S+)$/.exec(setting('KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_QUERY_CMD'))?.[1] ?? '';
    expect(dumps?.command?.join(' ')).toContain(`kong-ts dump http-log-enterprise > ${dump}`);
    const socket = setting('KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_SOCKET');
    const places = [dumps, kong, server].map((container) => mountOf(container, dump));
    expect(new Set(places.map((mount) => JSON.stringify(mount))).size).toBe(1);
    expect(mountOf(kong, socket)).toEqual(places[0]);
    // sidecar-entrypoint.sh serves there; the image is the init container's, so that the dumps are the same.
    expect(read('sidecar-entrypoint.sh')).toContain(`folder=\${KONG_TS_FOLDER:-${path.dirname(socket)}}`);
    expect(read('sidecar-entrypoint.sh')).toContain(`--socket "$folder/${path.basename(socket)}"`);
    expect(server.image).toBe(dumps?.image);
    for (const probe of [server.startupProbe, server.readinessProbe, server.livenessProbe])
      expect(probe?.exec?.command.slice(-2)).toEqual(['--socket', socket]);
  });

  test('probes of Kong ask where its status listens, and have time for the answer', () => {
    const [, status = ''] = /:(\d+)$/.exec(setting('KONG_STATUS_LISTEN')) ?? [];
    for (const probe of [kong.startupProbe, kong.readinessProbe, kong.livenessProbe])
      expect(probe?.httpGet?.port).toBe(Number(status));
    expect(kong.readinessProbe?.httpGet?.path).toBe('/status/ready');
    // A command starts a process: one second, the default, is too short for it.
    for (const { startupProbe, readinessProbe, livenessProbe } of pod.containers)
      for (const probe of [startupProbe, readinessProbe, livenessProbe])
        if (probe?.exec !== undefined) expect(probe.timeoutSeconds ?? 1).toBeGreaterThanOrEqual(5);
  });

  test('at the end Kong goes first, then the plugin server, and nothing is cut off', () => {
    const option = (name: string): number =>
      Number(
        kong.lifecycle?.preStop.exec.command.find((word) => word.startsWith(`--${name}=`))?.split('=')[1],
      );
    const kongTakes = option('wait') + option('timeout');
    const serverWaits = Number(server.lifecycle?.preStop.exec.command.at(-1));
    expect(serverWaits).toBeGreaterThan(kongTakes);
    // kong-ts serve drains for 10 s unless told otherwise.
    expect(pod.terminationGracePeriodSeconds ?? 30).toBeGreaterThan(serverWaits + 10);
  });

  test('the configuration is in the ConfigMap, and uses the plugins that Kong has', () => {
    const file = setting('KONG_DECLARATIVE_CONFIG');
    const mount = mountOf(kong, file);
    expect(pod.volumes.find(({ name }) => name === mount?.name)).toHaveProperty('configMap');
    const declared = parse(config.data[path.relative(mount?.mountPath ?? '', file)] ?? '') as {
      _format_version: string;
      plugins: { name: string }[];
    };
    expect(declared._format_version).toBe('3.0');
    const plugins = setting('KONG_PLUGINS').split(',');
    for (const { name } of declared.plugins) expect(plugins).toContain(name);
  });

  test('images that are pulled by their name alone need not be pulled each time', () => {
    for (const { image, imagePullPolicy } of all)
      if (!image.includes(':')) expect(imagePullPolicy, image).toBe('IfNotPresent');
  });

  test("the sidecar's user may write where it has to, whatever its image says", () => {
    expect(imageChanges(read('sidecar.Dockerfile'))).toContain(
      `USER ${String(pod.securityContext.runAsUser)}`,
    );
    expect(pod.securityContext.fsGroup).toBe(pod.securityContext.runAsUser);
  });
});
