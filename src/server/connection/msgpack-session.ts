import { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { phases } from '../../pdk/names/index.ts';
import type { Command, Request } from '../../wire/msgpack/index.ts';
import {
  decodeValue,
  MessageDecoder,
  encode,
  MessageWriter,
  encodeResponse,
  eventIdIn,
  readCommand,
  scanHeaderStep,
  writeCall,
  writeDone,
  readMessage,
  malformed,
} from '../../wire/msgpack/index.ts';
import { encodeText } from '../../base/text.ts';
import { begunRequest, idIn } from './begun-request.ts';
import { brokenInstance } from './broken-instance.ts';
import { relaysNotice } from './event-relay.ts';
import { servesMethod } from '../socket/serves.ts';
import type { AskedStart, ForwardedAnswer, ForwardedStep, RunningInstance, StartedInstance } from './host.ts';
import { MsgpackEvent } from './msgpack-event.ts';
import type { Runtime } from './runtime.ts';
import type { SessionConnection } from './session.ts';
import { resultOf } from './start-answer.ts';
import type { Responder, SteppedEvent } from './stepped-event.ts';

/** A larger buffer is given back after the answer that needed it. */
const maxKeptBytes = 128 * 1024;

const known: ReadonlySet<string> = new Set(phases);

/**
 * The text that makes Kong start a new instance and try again. Kong 2.8 to 3.9 search for "no plugin instance": some
 * versions ignore case, some need the capital N.
 */
const unknownInstance = 'No plugin instance #';

/** The answer to Kong 3.9.3 about an instance without an id (kong-pdk's answer). */
const noId = '-1';

/**
 * What a connection does in MsgPack:1. It works on one request at a time and answers every request that has an id,
 * because Kong goes on without the plugin after a closed connection. The events that it starts belong to the worker.
 */
export class MsgpackSession implements Responder {
  readonly #connection: SessionConnection;
  readonly #decoder: MessageDecoder;
  #out = new MessageWriter(512);
  /** Message id of the request that is being worked on, -1 when there is none. */
  #request = -1;
  /** The request as Kong sent it, valid until it is being worked on. */
  #bytes: Buffer | null = null;
  /** The event whose next word this connection waits for. */
  #event: SteppedEvent | null = null;
  /** Where the request is noted, see OpenRequests. */
  #place = -1;
  /** The rest of a request is not going to be read: the connection ends with the answer to it. */
  #last = false;

  constructor(connection: SessionConnection) {
    this.#connection = connection;
    this.#decoder = new MessageDecoder({ maxMessageBytes: connection.runtime.host.maxFrameBytes });
  }

  respondCall(eventId: number, method: Buffer, args: Buffer | readonly unknown[]): void {
    const out = this.#out;
    const { position } = out;
    try {
      writeCall(out, this.#request, eventId, method, args);
    } catch (error) {
      out.position = position;
      throw error;
    }
    this.#event = null;
    this.#answered();
  }

  respondDone(eventId: number): void {
    this.#event = null;
    writeDone(this.#out, this.#request, eventId);
    this.#answered();
  }

  /** True while a request is being worked on. */
  get busy(): boolean {
    return this.#request >= 0;
  }

  /** True in the middle of a message. */
  get partial(): boolean {
    return this.#decoder.partial;
  }

  /** What is kept of a message that is not complete, in bytes. */
  get held(): number {
    return this.#decoder.held;
  }

  /**
   * Reads from `at` to the end of a message and handles it, or to the end of the bytes.
   * @returns where it has stopped
   * @throws KongTsError FRAME_TOO_LARGE, FRAME_MALFORMED for what has no id
   */
  take(bytes: Buffer, at: number): number {
    const begins = !this.#decoder.partial;
    let end: number;
    try {
      end = this.#decoder.take(bytes, at);
    } catch (error) {
      this.#crossOut();
      this.#tooLarge(error);
      return bytes.length;
    }
    const { whole } = this.#decoder;
    if (whole !== null) {
      this.#crossOut();
      this.#handle(whole);
    } else if (begins) this.#noteBegun();
    return end;
  }

  /** @throws KongTsError FRAME_TRUNCATED when the stream ended inside a message */
  endOfStream(): void {
    this.#decoder.end();
  }

  /** Kong is gone. */
  lost(): void {
    const event = this.#event;
    this.#event = null;
    this.#crossOut();
    event?.disconnected(this);
  }

  /** Gives up the event that is being worked on. Kong begins it anew. */
  giveUp(): void {
    this.#event = null;
    if (this.busy) this.#respond(`${unknownInstance}${noId}: its server ends`, null);
  }

  #handle(whole: Buffer): void {
    const step = scanHeaderStep(whole, this.#looksUp);
    if (step !== null)
      this.#begin(step.id, whole, { type: 'step', eventId: step.eventId, data: step.table, failed: false });
    else this.#decode(whole);
  }

  readonly #looksUp = (eventId: number): boolean =>
    this.#connection.runtime.steppedEvents.get(eventId)?.looksUp === true;

  #decode(whole: Buffer): void {
    let request: Request;
    let command: Command;
    try {
      const message = readMessage(decodeValue(whole));
      if (message.type === 'notification' && message.name === relaysNotice) {
        this.#connection.relays();
        return;
      }
      if (message.type !== 'request') malformed(`Kong sent a ${message.type} where a request was expected`);
      request = message;
      command = readCommand(request);
    } catch (error) {
      this.#unreadable(whole, error);
      return;
    }
    this.#begin(request.id, whole, command);
  }

  #begin(id: number, whole: Buffer, command: Command): void {
    this.#request = id;
    this.#bytes = whole;
    try {
      this.#run(command);
    } catch (error) {
      this.#refuse(messageOf(error), error);
    }
    this.#bytes = null;
  }

  /** Answers a message that is not a command with an error. @throws the reason, if the message has no id */
  #unreadable(bytes: Buffer, error: unknown): void {
    const id = idIn(bytes);
    if (id === null) throw error;
    this.#log(messageOf(error), error);
    this.#out.raw(encode([1, id, messageOf(error), null]));
    this.#answered();
  }

  /** A step that is too large fails its call; any other command is answered with an error. */
  #tooLarge(error: unknown): void {
    const { begun } = this.#decoder;
    const id = idIn(begun);
    this.#last = true;
    const eventId = typeof id === 'number' ? eventIdIn(begun) : null;
    if (typeof id !== 'number' || eventId === null) {
      this.#unreadable(begun, error);
      return;
    }
    this.#log(messageOf(error), error);
    this.#request = id;
    this.#step({ type: 'step', eventId, data: messageOf(error), failed: true });
  }

  #run(command: Command): void {
    const { host } = this.#connection.runtime;
    switch (command.type) {
      case 'handleEvent':
        if (command.instanceId === null) this.#respond(`${unknownInstance}${noId}`, null);
        else this.#find(command.instanceId, command.eventName);
        return;
      case 'step':
        this.#step(command);
        return;
      case 'startInstance':
        this.#note('start', 0);
        this.#answerLater(host.startInstance(command.name, encodeText(command.config), this.#asked), 0);
        return;
      case 'closeInstance':
        this.#note(null, 0);
        this.#answerLater(host.closeInstance(command.instanceId), command.instanceId);
        return;
      case 'other':
        if (command.method === servesMethod) this.#respond(null, host.serves?.() === true);
        else this.#respond(`The method ${command.method} is not known here.`, null);
    }
  }

  get #asked(): AskedStart {
    return { ticket: this.#connection.ticket, protocol: 'msgpack', request: this.#request };
  }

  #find(id: number, phase: string): void {
    if (known.has(phase)) this.#note(phase as Phase, 0);
    const found = this.#connection.runtime.host.findInstance(id);
    if (!(found instanceof Promise)) {
      this.#start(id, phase, found);
      return;
    }
    found.then(
      (instance) => {
        if (!this.#connection.closing) this.#start(id, phase, instance);
      },
      (error: unknown) => {
        if (!this.#connection.closing) this.#start(id, phase, brokenInstance(id, error));
      },
    );
  }

  /** Should this process die before the answer, Kong is told. */
  #note(phase: Phase | 'start' | null, eventId: number, id = this.#request): void {
    const { ticket, runtime } = this.#connection;
    if (ticket === 0) return;
    this.#place = runtime.host.openRequests?.open({ ticket, id, eventId, phase }) ?? -1;
  }

  /**
   * The rest of a request is still to come. Should this process die before, that rest must not be read as a request: it may be a
   * client's body.
   */
  #noteBegun(): void {
    const { steppedEvents } = this.#connection.runtime;
    const phaseOf = (eventId: number): Phase | null => steppedEvents.get(eventId)?.phase ?? null;
    const { phase, eventId, id } = begunRequest(this.#decoder.begun, phaseOf);
    this.#note(phase, eventId, id);
  }

  #crossOut(): void {
    if (this.#place < 0) return;
    this.#connection.runtime.host.openRequests?.close(this.#place);
    this.#place = -1;
  }

  #start(id: number, phase: string, instance: RunningInstance | null): void {
    if (instance === null) this.#respond(`${unknownInstance}${id}`, null);
    else if (known.has(phase)) {
      const event = new MsgpackEvent(this.#connection.runtime, instance, phase as Phase, this);
      this.#event = event;
      event.run();
    } else this.#respond(`The phase ${phase} is not known here.`, null);
  }

  #step(step: Command & { type: 'step' }): void {
    const { eventId, data, failed } = step;
    const size = this.#bytes?.length ?? 0;
    const event = this.#connection.runtime.steppedEvents.get(eventId);
    if (event !== undefined) {
      this.#event = event;
      this.#note(event.phase, eventId);
      event.step(data, failed, this, size);
      return;
    }
    this.#note(null, 0);
    const bytes = this.#bytes === null ? null : Buffer.from(this.#bytes);
    void this.#stepElsewhere({ eventId, data, failed, size }, bytes);
  }

  /** A step of an event that this worker does not run. Another worker may run it, or another server of the socket. */
  async #stepElsewhere(step: ForwardedStep, bytes: Buffer | null): Promise<void> {
    const { runtime, relayed } = this.#connection;
    const { host } = runtime;
    const owner = runtime.ownerOf(step.eventId);
    let answer: ForwardedAnswer = { type: 'error', message: noEvent(step.eventId) };
    if (host.forwardStep !== undefined && owner !== host.workerIndex) {
      answer = await host.forwardStep(owner, step).catch(() => answer);
    }
    if ((answer.type === 'error' || answer.type === 'gone') && bytes !== null && !relayed) {
      const relayedAnswer = (await host.relayStep?.(bytes).catch(() => null)) ?? null;
      if (this.#connection.closing) return;
      if (relayedAnswer !== null) {
        this.#out.raw(relayedAnswer);
        this.#answered();
        return;
      }
    }
    this.#forwarded(step.eventId, answer);
  }

  #forwarded(eventId: number, answer: ForwardedAnswer): void {
    if (this.#connection.closing) return;
    if (answer.type === 'done') this.respondDone(eventId);
    else if (answer.type === 'gone') this.#respond(`${unknownInstance}${noId}: its worker has ended`, null);
    else if (answer.type === 'error') this.#refuse(answer.message, null);
    else this.respondCall(eventId, Buffer.from(answer.method), Buffer.from(answer.args));
  }

  #answerLater(answer: Promise<StartedInstance | null>, id: number): void {
    answer.then(
      (instance) => {
        if (instance === null) this.#respond(`${unknownInstance}${id}`, null);
        else this.#respond(null, resultOf(instance));
      },
      (error: unknown) => this.#refuse(messageOf(error), error),
    );
  }

  #refuse(message: string, error: unknown): void {
    if (this.#connection.closing || this.#request < 0) return;
    this.#log(message, error);
    this.#respond(message, null);
  }

  #log(message: string, error: unknown): void {
    const code = error instanceof KongTsError ? error.code : null;
    this.#connection.runtime.host.log.error(message, { code });
  }

  #respond(error: string | null, result: unknown): void {
    if (this.#connection.closing) return;
    try {
      this.#out.raw(encodeResponse(this.#request, error, result));
    } catch (unwritable) {
      this.#out.raw(encodeResponse(this.#request, messageOf(unwritable), null));
    }
    this.#answered();
  }

  #answered(): void {
    const connection = this.#connection;
    this.#request = -1;
    this.#crossOut();
    if (connection.closing) return;
    const out = this.#out;
    // The buffer can be used again if the system took all bytes at once. Otherwise they belong to the socket.
    const taken = connection.answer(out.view(), 'msgpack', this.#last);
    if (taken && out.buffer.length <= maxKeptBytes) out.position = 0;
    else this.#out = new MessageWriter(512);
    connection.idle();
  }
}

/** What the worker that owns an event does with a step that came to another worker. */
export function stepForwarded(runtime: Runtime, step: ForwardedStep): Promise<ForwardedAnswer> {
  const event = runtime.steppedEvents.get(step.eventId);
  if (event === undefined) return Promise.resolve({ type: 'error', message: noEvent(step.eventId) });
  const { openRequests } = runtime.host;
  const { eventId } = step;
  const place = openRequests?.open({ ticket: 0, id: 0, eventId, phase: event.phase }) ?? -1;
  return new Promise<ForwardedAnswer>((resolve) => {
    const responder: Responder = {
      respondCall: (_id, method, args) => {
        resolve({ type: 'call', method, args: Buffer.isBuffer(args) ? args : encode(args) });
      },
      respondDone: () => resolve({ type: 'done' }),
    };
    event.step(step.data, step.failed, responder, step.size);
  }).finally(() => openRequests?.close(place));
}

function noEvent(eventId: number): string {
  return `There is no event ${eventId}: it has ended, or the worker that ran it is gone.`;
}
