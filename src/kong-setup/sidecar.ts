import path from 'node:path';
import { KongTsError } from '../base/errors.ts';
import type { PluginSource } from './plugin-source.ts';

/** A plugin server that runs beside Kong in a container of its own. */
export interface Sidecar {
  readonly plugins: readonly PluginSource[];
  /** The image, made with docker/sidecar.Dockerfile or like it: its entry point writes the dumps and serves. */
  readonly image: string;
  /** The image of Kong, with its tag. */
  readonly kongImage: string;
  /** The paths as Kong sees them. */
  readonly socket: string;
  readonly dumpFolder: string;
}

/** The paths in the image of docker/sidecar.Dockerfile. */
const inImage = {
  command: '/usr/local/bin/kong-ts',
  /** The image's user owns this folder, so that it may write to a new volume here. */
  folder: '/run/kong-ts',
  data: '/var/lib/kong-ts',
  socketName: 'kong-ts.socket',
};
const volumes = {
  socket: 'kong-ts-socket',
  data: 'kong-ts-data',
  tmp: 'kong-ts-tmp',
  plugins: 'kong-ts-plugins',
};
const status = [inImage.command, 'status', '--socket', `${inImage.folder}/${inImage.socketName}`];

/** The folder that both containers share, as Kong sees it. @throws KongTsError USAGE where there are two, or the socket has another name */
function sharedFolder({ socket, dumpFolder }: Sidecar): string {
  const folder = path.posix.dirname(socket);
  if (folder !== path.posix.normalize(dumpFolder).replace(/(.)\/$/, '$1')) {
    throw new KongTsError(
      'USAGE',
      `The socket is in ${folder} and the dumps are in ${dumpFolder}: the containers share one folder.`,
      { fix: 'Leave out --dump-folder, or give it the folder of --socket.' },
    );
  }
  if (path.posix.basename(socket) !== inImage.socketName) {
    throw new KongTsError(
      'USAGE',
      `The sidecar's image calls its socket ${inImage.socketName}, not ${socket}.`,
      {
        fix: `Give --socket ${folder}/${inImage.socketName}, or leave it out.`,
      },
    );
  }
  return folder;
}

/** The services of a compose file: the plugin server, and what Kong's service needs beside the environment. */
export function composeFile(sidecar: Sidecar, environment: Record<string, string>): object {
  const folder = sharedFolder(sidecar);
  const mounts = new Set(sidecar.plugins.flatMap(({ folder: own }) => (own === undefined ? [] : [own])));
  const health = { interval: '5s', timeout: '5s', retries: 20 };
  return {
    services: {
      'kong-ts': {
        image: sidecar.image,
        command: sidecar.plugins.map(({ spec }) => spec),
        restart: 'unless-stopped',
        read_only: true,
        security_opt: ['no-new-privileges:true'],
        tmpfs: ['/tmp'],
        volumes: [
          `${volumes.socket}:${inImage.folder}`,
          `${volumes.data}:${inImage.data}`,
          ...[...mounts].map((mount) => `${mount}:${mount}:ro`),
        ],
        healthcheck: { test: ['CMD', ...status], ...health },
      },
      kong: {
        image: sidecar.kongImage,
        environment,
        volumes: [`${volumes.socket}:${folder}`],
        healthcheck: { test: ['CMD', 'kong', 'health'], ...health },
        depends_on: { 'kong-ts': { condition: 'service_healthy' } },
      },
    },
    volumes: { [volumes.socket]: {}, [volumes.data]: {} },
  };
}

/** Where a ConfigMap puts a plugin's file; bundled plugins have none. */
const mounted = ({ name, spec, folder }: PluginSource): string =>
  folder === undefined ? spec : `/plugins/${name}${path.posix.extname(spec)}`;

/** The values of Kong's Helm chart: an init container writes the dumps, the sidecar serves on an emptyDir. */
export function helmValues(sidecar: Sidecar, env: Record<string, string>): object {
  const folder = sharedFolder(sidecar);
  const { image, plugins } = sidecar;
  const files = plugins.some((plugin) => plugin.folder !== undefined);
  const pluginMount = files ? [{ name: volumes.plugins, mountPath: '/plugins', readOnly: true }] : [];
  const socketMount = { name: volumes.socket, mountPath: inImage.folder };
  // The user of the image. The chart runs Kong as 1000, too.
  const securityContext = (): object => ({
    runAsNonRoot: true,
    runAsUser: 1000,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
  const probe = (more: object): object => ({ exec: { command: [...status] }, timeoutSeconds: 5, ...more });
  return {
    env,
    deployment: {
      initContainers: [
        {
          name: 'kong-ts-dumps',
          image,
          command: ['/bin/sh', '-ec'],
          args: [
            plugins
              .map((one) => `${inImage.command} dump ${mounted(one)} > ${inImage.folder}/${one.name}.json\n`)
              .join(''),
          ],
          securityContext: securityContext(),
          volumeMounts: [socketMount, { name: volumes.tmp, mountPath: '/tmp' }, ...pluginMount],
        },
      ],
      sidecarContainers: [
        {
          name: 'kong-ts',
          image,
          args: plugins.map(mounted),
          startupProbe: probe({ periodSeconds: 2, failureThreshold: 60 }),
          readinessProbe: probe({ periodSeconds: 5 }),
          livenessProbe: probe({ periodSeconds: 10 }),
          resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '768Mi' } },
          securityContext: securityContext(),
          volumeMounts: [
            { ...socketMount },
            { name: volumes.data, mountPath: inImage.data },
            { name: volumes.tmp, mountPath: '/tmp' },
            ...pluginMount.map((mount) => ({ ...mount })),
          ],
        },
      ],
      userDefinedVolumes: [
        { name: volumes.socket, emptyDir: {} },
        { name: volumes.data, emptyDir: {} },
        { name: volumes.tmp, emptyDir: {} },
        ...(files ? [{ name: volumes.plugins, configMap: { name: volumes.plugins } }] : []),
      ],
      userDefinedVolumeMounts: [{ name: volumes.socket, mountPath: folder }],
    },
  };
}

/** What to do before the start, and what to know of the containers, as sentences and indented shell lines. */
export function sidecarNotes({ image, plugins }: Sidecar, format: 'compose' | 'helm'): string[] {
  const own = plugins.filter((plugin) => plugin.folder !== undefined);
  const notes = [
    `The image of the plugin server, made once in a checkout of kong-ts:`,
    `  docker build -f docker/sidecar.Dockerfile -t ${image} .`,
    `It writes a dump of each plugin to the shared volume (Kong's query_cmd reads them) and serves with --socket-mode 0666, so that Kong's user may connect.`,
  ];
  if (format === 'compose') {
    notes.push('Kong starts when the plugin server is healthy. KONG_DATABASE and ports are yours to add.');
    if (own.length > 0)
      notes.push('The folders of your plugins are mounted under their own path, read-only.');
    return notes;
  }
  notes.push(
    `The data volume (${volumes.data}) lives as long as the pod: put a PersistentVolumeClaim there to keep undelivered records.`,
  );
  if (own.length > 0) {
    const from = own.map((one) => `--from-file=${path.posix.basename(mounted(one))}=${one.spec}`);
    notes.push(
      'Plugins of one file each come from a ConfigMap:',
      `  kubectl create configmap ${volumes.plugins} ${from.join(' ')}`,
      `Those of several files, or with packages, need an image of your own (FROM ${image}, COPY to /plugins, --sidecar-image) in place of the volume ${volumes.plugins}.`,
    );
  }
  return notes;
}
