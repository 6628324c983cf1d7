import { createHmac } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { Webhook } from 'standardwebhooks';
import type { StartedKongContainer } from '../../../src/testing/containers/index.ts';
import type { Received } from './recorder.ts';

export interface Hook {
  readonly id: string;
  readonly handler: string;
}

export interface Delivery {
  readonly state: string;
}

/** The Admin API of event hooks, as somebody outside of Kong's container uses it. */
export class HooksApi {
  readonly #url: string;
  readonly #token: string;

  constructor({ eventHooksUrl, eventHooksToken }: StartedKongContainer) {
    this.#url = `${eventHooksUrl ?? ''}/event-hooks`;
    this.#token = eventHooksToken ?? '';
  }

  call(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'kong-admin-token': this.#token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async create(hook: object): Promise<Hook> {
    const answer = await this.call('POST', '', hook);
    const text = await answer.text();
    expect(answer.status, text).toBe(201);
    return JSON.parse(text) as Hook;
  }

  async remove({ id }: Hook): Promise<void> {
    expect((await this.call('DELETE', `/${id}`)).status).toBe(204);
  }

  async states({ id }: Hook): Promise<string[]> {
    const answer = await this.call('GET', `/${id}/deliveries`);
    return ((await answer.json()) as { data: Delivery[] }).data.map(({ state }) => state);
  }

  /** Emits an event until it is accepted; the id makes one of many tries. Gives how often it had to be tried. */
  async emit(source: string, id: string, data: object): Promise<number> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.call('POST', '/events', { source, event: 'said', id, data }).catch(
        () => null,
      );
      // Read to its end, so that the connection is free again.
      await answer?.text().catch(() => '');
      if (answer?.status === 202) return tries;
      if (tries > 600) throw new Error(`event ${id} was not accepted: ${String(answer?.status)}`);
      await wait(50);
    }
  }
}

/** Checks both signatures of a delivery as its receiver has to. */
export function verifySignatures({ headers, body }: Received, secret: string): void {
  expect(headers['x-kong-signature']).toBe(createHmac('sha256', secret).update(body).digest('hex'));
  const standard = new Webhook(`whsec_${Buffer.from(secret).toString('base64')}`);
  expect(() => standard.verify(body.toString(), headers as Record<string, string>)).not.toThrow();
}
