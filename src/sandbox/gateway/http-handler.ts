import { messageOf } from '../../base/errors.ts';
import type { ClientRequest, ClientResponse, RefusalStatus } from '../../http/http1/index.ts';
import { InvalidChunk, BodyStalled } from '../../http/http1/index.ts';
import { bufferAnswer, sendStream, sendWhole } from './answer.ts';
import type { ConfigState } from './config-state.ts';
import { HttpExchange, now, route, wantsWebSocket } from '../../kong-end/index.ts';
import type { NodeState, TlsInfo } from '../../kong-end/index.ts';
import { runCollected, runCollecting, runGlobals, runLog } from './phases.ts';
import { proxy } from './proxy.ts';
import { requestReport } from './request-report.ts';
import type { RequestReport } from './request-report.ts';
import { refuseRequest } from './refusals.ts';
import type { UpstreamConnections } from './upstream/connections.ts';

export interface HttpHandlerOptions {
  readonly node: NodeState;
  readonly config: ConfigState;
  readonly connections: UpstreamConnections;
  /** Bodies above this go to a file (client_body_buffer_size), in bytes. */
  readonly bodyBufferBytes: number;
  /** Log phases that are running: close() waits for them. */
  readonly pending: Set<Promise<unknown>>;
  /** Gets a report of each request once its log phase has ended. */
  readonly onRequest?: ((report: RequestReport) => void) | null;
}

const never = new AbortController().signal;

const webSocketRefusal = 'The sandbox does not proxy WebSocket connections';

/**
 * One HTTP request through all its phases. Never rejects.
 *
 * @returns whether the connection may carry another request
 */
export async function handleHttp(
  options: HttpHandlerOptions,
  request: ClientRequest,
  response: ClientResponse,
  worker: number,
  tls: TlsInfo | null,
): Promise<boolean> {
  const { node } = options;
  node.statistics.total_requests++;
  const exchange = new HttpExchange(node, request, worker, options.bodyBufferBytes, tls);
  if (options.onRequest != null) exchange.phaseReports = [];
  const gone = new AbortController();
  const { socket } = request;
  response.once('close', () => {
    if (!response.finished) gone.abort();
  });
  // nginx looks for it while it passes an answer on, and not where Kong reads the whole of it.
  const halfClosed = (): void => {
    if (!exchange.proxied || exchange.buffered) return;
    gone.abort();
    response.destroy();
  };
  socket.once('end', halfClosed);
  try {
    await serve(options, exchange, response, gone.signal);
  } catch (error) {
    await recover(exchange, response, gone.signal, error);
  }
  socket.off('end', halfClosed);
  if (gone.signal.aborted && !exchange.terminated && !exchange.buffered) noteAbort(exchange, response);
  finish(options, exchange);
  return response.finished && exchange.connection === 'keep-alive';
}

/** A request that nginx refuses before Kong routes it: an answer of Kong's or nginx's own, and the log phase. */
export async function handleRefused(
  options: HttpHandlerOptions,
  status: RefusalStatus,
  request: ClientRequest,
  response: ClientResponse,
  worker: number,
  tls: TlsInfo | null,
): Promise<void> {
  const { node } = options;
  node.statistics.total_requests++;
  const exchange = new HttpExchange(node, request, worker, options.bodyBufferBytes, tls);
  if (options.onRequest != null) exchange.phaseReports = [];
  refuseRequest(exchange, status);
  exchange.connection = 'close';
  // After a time limit nginx says nothing.
  if (status === 408) response.destroy();
  else await sendWhole(exchange, response);
  finish(options, exchange);
}

/** Log phase and what is left behind. */
function finish({ config, pending, onRequest }: HttpHandlerOptions, exchange: HttpExchange): void {
  exchange.latencies.request = Math.round(now() - exchange.startedAt);
  const log = runLog(exchange, config.table).finally(() => {
    const { phaseReports } = exchange;
    if (phaseReports !== null) onRequest?.(requestReport(exchange, phaseReports));
    return exchange.body.close();
  });
  pending.add(log);
  void log.finally(() => pending.delete(log)).catch(() => undefined);
}

async function serve(
  { config, connections }: HttpHandlerOptions,
  exchange: HttpExchange,
  response: ClientResponse,
  gone: AbortSignal,
): Promise<void> {
  const { table, router, balancer, snapshot } = config;
  await runGlobals('rewrite', exchange, table);
  if (exchange.aborted === null) route(exchange, router, snapshot);
  if (exchange.route !== null && exchange.aborted === null) {
    await runCollecting('access', exchange, table);
    if (exchange.plugins?.some((plugin) => plugin.handler.phases.has('response')) === true)
      exchange.buffered = true;
  }
  exchange.latencies.kong = Math.round(now() - exchange.startedAt);
  if (exchange.aborted === null && exchange.service === null) {
    exchange.buffered = false;
    exchange.abort(503, null, 'no Service found with those values');
  }
  if (exchange.aborted === null && wantsWebSocket(exchange.request)) {
    exchange.node.log('warn', `[proxy] ${exchange.uri}: ${webSocketRefusal}; Kong does`);
    exchange.abort(501, null, webSocketRefusal);
  }
  if (exchange.aborted === null && !gone.aborted) {
    // A client that goes away ends only what passes through: Kong reads on what it holds for a response phase.
    const signal = exchange.buffered ? never : gone;
    const answer = await proxy(exchange, { balancer, connections, signal });
    if (answer !== null) {
      if (!exchange.buffered) {
        await sendStream(exchange, answer, response);
        return;
      }
      await bufferAnswer(exchange, answer);
      if (exchange.aborted === null) await runCollected('response', exchange);
    }
  }
  await sendWhole(exchange, response);
}

/** The client has left what was passed on to it: 499 where nothing was sent yet, and the answer counts as the upstream's. */
function noteAbort(exchange: HttpExchange, response: ClientResponse): void {
  exchange.terminated = true;
  if (exchange.aborted !== null || !exchange.proxied) return;
  exchange.answer.source = 'service';
  if (!response.headersSent) exchange.answer.status = 499;
}

/**
 * After an unexpected error: 400 for an invalid body, 502 if nothing was sent yet. Otherwise the connection ends in the
 * middle of the body.
 */
async function recover(
  exchange: HttpExchange,
  response: ClientResponse,
  gone: AbortSignal,
  error: unknown,
): Promise<void> {
  if (gone.aborted) return;
  if (error instanceof BodyStalled) {
    // After a time limit nginx says nothing.
    exchange.answer.status = 408;
    exchange.terminated = true;
    response.destroy();
  }
  if (error instanceof InvalidChunk) exchange.connection = 'close';
  if (!exchange.terminated)
    exchange.abort(error instanceof InvalidChunk ? 400 : exchange.proxied ? 502 : 500);
  exchange.node.log('error', `[proxy] ${exchange.method} ${exchange.uri}: ${messageOf(error)}`);
  if (exchange.terminated) return;
  await sendWhole(exchange, response).catch(() => response.destroy());
}
