import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { KongTsError, messageOf } from '../../errors.ts';
import { phases } from '../../pdk/phases.ts';
import type { Phase } from '../../pdk/phases.ts';
import { MessageDecoder } from '../../wire/msgpack/decoder.ts';
import { encode, MessageWriter } from '../../wire/msgpack/encoder.ts';
import { encodeResponse, readCommand, readMessage, writeCall, writeDone } from '../../wire/msgpack/rpc.ts';
import type { Command } from '../../wire/msgpack/rpc.ts';
import { encodeText } from '../../wire/text.ts';
import { brokenInstance } from './broken-instance.ts';
import { Connection } from './connection.ts';
import type { ForwardedAnswer, ForwardedStep, RunningInstance, StartedInstance } from './host.ts';
import { MsgpackEvent } from './msgpack-event.ts';
import type { Responder } from './msgpack-event.ts';
import type { Runtime } from './runtime.ts';

/** A larger buffer is given back after the answer that needed it. */
const MAX_KEPT_BYTES = 128 * 1024;

const known: ReadonlySet<string> = new Set(phases);

/**
 * What Kong has to read to start a new instance and try again. Kong 2.8 to 3.9 search for "no plugin instance", some
 * versions without regard to case, some with the capital N.
 */
const UNKNOWN_INSTANCE = 'No plugin instance #';

/** One connection of MsgPack:1: one request at a time. The events it starts belong to the worker. */
export class MsgpackConnection extends Connection<unknown> implements Responder {
  readonly #decoder: MessageDecoder;
  #out = new MessageWriter(512);
  /** Message id of the request that is being worked on, -1 when there is none. */
  #request = -1;
  /** The event whose next word this connection waits for. */
  #event: MsgpackEvent | null = null;

  constructor(runtime: Runtime, socket: Socket) {
    super(runtime, socket);
    this.#decoder = new MessageDecoder({ maxMessageBytes: runtime.host.maxFrameBytes });
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
    this.#answered(this.draining);
  }

  protected decode(bytes: Buffer): unknown[] {
    return this.#decoder.push(bytes);
  }

  /** Decoded values hold copies. */
  protected keep(value: unknown): unknown {
    return value;
  }

  protected partial(): boolean {
    return this.#decoder.partial;
  }

  protected endOfStream(): void {
    this.#decoder.end();
  }

  protected belongsToWork(): boolean {
    return false;
  }

  protected busy(): boolean {
    return this.#request >= 0;
  }

  /** The next step of an event may come on any connection. */
  protected override needed(): boolean {
    return this.runtime.steppedEvents.size > 0;
  }

  protected lost(): void {
    const event = this.#event;
    this.#event = null;
    event?.disconnected(this);
  }

  protected handle(value: unknown): void {
    const message = readMessage(value);
    if (message.type !== 'request') {
      throw new KongTsError('FRAME_MALFORMED', `Kong sent a ${message.type} where a request was expected.`);
    }
    const command = readCommand(message);
    this.#request = message.id;
    this.#run(command);
  }

  #run(command: Command): void {
    const { host } = this.runtime;
    switch (command.type) {
      case 'handleEvent':
        this.#find(command.instanceId, command.eventName);
        return;
      case 'step':
        this.#step(command);
        return;
      case 'startInstance':
        this.#answerLater(host.startInstance(command.name, encodeText(command.config)), 0);
        return;
      case 'closeInstance':
        this.#answerLater(host.closeInstance(command.instanceId), command.instanceId);
        return;
      case 'other':
        this.#respond(`The method ${command.method} is not known here.`, null);
    }
  }

  #find(id: number, phase: string): void {
    const found = this.runtime.host.findInstance(id);
    if (!(found instanceof Promise)) {
      this.#start(id, phase, found);
      return;
    }
    found.then(
      (instance) => {
        if (!this.closing) this.#start(id, phase, instance);
      },
      (error: unknown) => {
        if (!this.closing) this.#start(id, phase, brokenInstance(id, error));
      },
    );
  }

  #start(id: number, phase: string, instance: RunningInstance | null): void {
    if (instance === null) this.#respond(`${UNKNOWN_INSTANCE}${id}`, null);
    else if (known.has(phase)) {
      this.#event = new MsgpackEvent(this.runtime, instance, phase as Phase, this);
      this.#event.run();
    } else this.#respond(`The phase ${phase} is not known here.`, null);
  }

  #step(step: Command & { type: 'step' }): void {
    const { eventId, data, failed } = step;
    const event = this.runtime.steppedEvents.get(eventId);
    if (event !== undefined) {
      this.#event = event;
      event.step(data, failed, this);
      return;
    }
    const { host } = this.runtime;
    const owner = this.runtime.ownerOf(eventId);
    if (host.forwardStep === undefined || owner === host.workerIndex) {
      this.#respond(noEvent(eventId), null);
      return;
    }
    host.forwardStep(owner, { eventId, data, failed }).then(
      (answer) => this.#forwarded(eventId, answer),
      (error: unknown) => this.#refuse(`The worker of event ${eventId} is gone: ${messageOf(error)}`, error),
    );
  }

  #forwarded(eventId: number, answer: ForwardedAnswer): void {
    if (this.closing) return;
    if (answer.type === 'done') this.respondDone(eventId);
    else if (answer.type === 'error') this.#respond(answer.message, null);
    else this.respondCall(eventId, Buffer.from(answer.method), Buffer.from(answer.args));
  }

  #answerLater(answer: Promise<StartedInstance | null>, id: number): void {
    answer.then(
      (instance) => {
        if (instance === null) this.#respond(`${UNKNOWN_INSTANCE}${id}`, null);
        else this.#respond(null, resultOf(instance));
      },
      (error: unknown) => this.#refuse(messageOf(error), error),
    );
  }

  #refuse(message: string, error: unknown): void {
    if (this.closing) return;
    this.runtime.host.log.error(message, { code: error instanceof KongTsError ? error.code : null });
    this.#respond(message, null);
  }

  #respond(error: string | null, result: unknown): void {
    if (this.closing) return;
    this.#out.raw(encodeResponse(this.#request, error, result));
    this.#answered();
  }

  #answered(last = this.draining && !this.needed()): void {
    this.#request = -1;
    if (this.closing) return;
    const out = this.#out;
    if (last) {
      this.finish(out.view());
      return;
    }
    this.socket.write(out.view());
    // What the system took at once can be written over; else the bytes stay the socket's.
    if (this.socket.writableLength === 0 && out.buffer.length <= MAX_KEPT_BYTES) out.position = 0;
    else this.#out = new MessageWriter(512);
    this.idle();
  }
}

/** What the worker that owns an event does with a step that came to another worker. */
export function stepForwarded(runtime: Runtime, step: ForwardedStep): Promise<ForwardedAnswer> {
  const event = runtime.steppedEvents.get(step.eventId);
  if (event === undefined) return Promise.resolve({ type: 'error', message: noEvent(step.eventId) });
  return new Promise((resolve) => {
    event.step(step.data, step.failed, {
      respondCall: (_id, method, args) => {
        resolve({ type: 'call', method, args: Buffer.isBuffer(args) ? args : encode(args) });
      },
      respondDone: () => resolve({ type: 'done' }),
    });
  });
}

function noEvent(eventId: number): string {
  return `There is no event ${eventId}: it has ended, or the worker that ran it is gone.`;
}

function resultOf(instance: StartedInstance): Record<string, unknown> {
  return {
    Name: instance.name,
    Id: instance.id,
    Config: instance.config ?? {},
    StartTime: instance.startedAt,
  };
}
