import { z } from 'zod';

/**
 * What docker/kubernetes uses of Kubernetes' API (v1 and apps/v1, as of 1.25): an object takes no field that is not here,
 * so that one that Kubernetes does not have, or one in the wrong place, does not pass.
 */
const label = z.string().regex(/^[a-z0-9A-Z](?:[\w.-]{0,61}[a-z0-9A-Z])?$/);
const labels = z.record(
  z.string().regex(/^(?:[a-z0-9.-]+\/)?[a-z0-9A-Z](?:[\w.-]{0,61}[a-z0-9A-Z])?$/),
  label,
);
const dnsLabel = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
const portName = z.string().regex(/^(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/);
const portNumber = z.number().int().min(1).max(65_535);
const seconds = z.number().int().positive();
const absolute = z.string().regex(/^\/[^:]*$/);
const metadata = z.strictObject({ name: dnsLabel, labels: labels.optional() });

const command = z.array(z.string().min(1)).min(1);
const exec = z.strictObject({ command });
const probe = z
  .strictObject({
    exec: exec.optional(),
    httpGet: z
      .strictObject({
        path: absolute,
        port: z.union([portNumber, portName]),
        scheme: z.enum(['HTTP', 'HTTPS']).optional(),
      })
      .optional(),
    tcpSocket: z.strictObject({ port: z.union([portNumber, portName]) }).optional(),
    initialDelaySeconds: z.number().int().min(0).optional(),
    periodSeconds: seconds.optional(),
    timeoutSeconds: seconds.optional(),
    failureThreshold: seconds.optional(),
    successThreshold: seconds.optional(),
  })
  .refine(
    (given) => [given.exec, given.httpGet, given.tcpSocket].filter((one) => one !== undefined).length === 1,
    {
      error: 'a probe has one handler',
    },
  );

const quantities = z.strictObject({
  cpu: z
    .string()
    .regex(/^\d+m?$/)
    .optional(),
  memory: z
    .string()
    .regex(/^\d+(?:Ki|Mi|Gi)$/)
    .optional(),
});

const container = z.strictObject({
  name: dnsLabel,
  image: z.string().regex(/^[a-z0-9./_-]+(?::[\w.-]+)?$/),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  command: command.optional(),
  args: command.optional(),
  // Kubernetes refuses numbers and booleans here.
  env: z
    .array(z.strictObject({ name: z.string().regex(/^[A-Z_][A-Z0-9_]*$/), value: z.string() }))
    .optional(),
  ports: z
    .array(
      z.strictObject({
        name: portName,
        containerPort: portNumber,
        protocol: z.enum(['TCP', 'UDP']).optional(),
      }),
    )
    .optional(),
  lifecycle: z.strictObject({ preStop: z.strictObject({ exec }) }).optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }).optional(),
  securityContext: z.strictObject({
    readOnlyRootFilesystem: z.boolean(),
    allowPrivilegeEscalation: z.boolean(),
    capabilities: z.strictObject({ drop: z.array(z.string()) }),
  }),
  volumeMounts: z.array(
    z.strictObject({ name: dnsLabel, mountPath: absolute, readOnly: z.boolean().optional() }),
  ),
});

const volume = z
  .strictObject({
    name: dnsLabel,
    emptyDir: z.strictObject({ sizeLimit: z.string().optional() }).optional(),
    configMap: z.strictObject({ name: dnsLabel }).optional(),
  })
  .refine((given) => Object.keys(given).length === 2, { error: 'a volume has one source' });

const pod = z.strictObject({
  enableServiceLinks: z.boolean().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  terminationGracePeriodSeconds: seconds.optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.boolean(),
    runAsUser: z.number().int(),
    fsGroup: z.number().int(),
    seccompProfile: z.strictObject({ type: z.enum(['RuntimeDefault', 'Unconfined']) }),
  }),
  // Probes and lifecycle are for init containers that stay only.
  initContainers: z.array(
    container.omit({
      startupProbe: true,
      readinessProbe: true,
      livenessProbe: true,
      lifecycle: true,
      ports: true,
    }),
  ),
  containers: z.array(container).min(1),
  volumes: z.array(volume),
});

export const configMap = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  metadata,
  data: z.record(z.string().regex(/^[\w.-]+$/), z.string()),
});

export const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    selector: labels,
    ports: z
      .array(
        z.strictObject({ name: portName, port: portNumber, targetPort: z.union([portNumber, portName]) }),
      )
      .min(1),
  }),
});

export const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({
    replicas: z.number().int().min(0),
    selector: z.strictObject({ matchLabels: labels }),
    template: z.strictObject({ metadata: z.strictObject({ labels }), spec: pod }),
  }),
});

export const manifest = z.tuple([configMap, service, deployment]);
