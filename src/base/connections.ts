/** Connections at a time of one listener: what comes beyond is closed before anything is read of it. */

/** Of a listener that tools, collectors and other servers call. */
export const maxConnections = 1024;

/** Of a gateway's listener, whom everybody calls: nginx's `worker_connections` as Kong sets it. */
export const maxGatewayConnections = 16_384;
