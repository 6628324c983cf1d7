import type { Mask } from '../model/mask.ts';
import type { Delivery, SentRequest } from '../store/types.ts';
import type { HookHandler, Outcome, TestResult } from './types.ts';

/** A handler whose answers hold no secret of its hook: a kind cannot forget it. */
export class MaskedHandler implements HookHandler {
  readonly #handler: HookHandler;
  readonly #mask: Mask;

  constructor(handler: HookHandler, mask: Mask) {
    this.#handler = handler;
    this.#mask = mask;
  }

  get target(): string | null {
    return this.#handler.target;
  }

  async attempt(delivery: Delivery): Promise<Outcome> {
    const outcome = await this.#handler.attempt(delivery);
    const { error, response, request } = outcome;
    return {
      ...outcome,
      error: this.#apply(error),
      response: this.#apply(response),
      ...(request === undefined ? {} : { request: this.#ofRequest(request) }),
    };
  }

  #ofRequest({ headers, url, ...rest }: SentRequest): SentRequest {
    return { ...rest, url: this.#mask.apply(url), headers: this.#ofHeaders(headers) };
  }
  #ofHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
    const masked = Object.entries(headers).map(([name, value]) => [
      this.#mask.ofName(name),
      this.#mask.apply(value),
    ]);
    return Object.fromEntries(masked) as Record<string, string>;
  }

  async test(payload: Record<string, unknown>, id: string): Promise<TestResult> {
    const result = await this.#handler.test(payload, id);
    if (result === true) return true;
    if ('error' in result) return { error: this.#mask.apply(result.error) };
    return {
      body: this.#mask.apply(result.body),
      headers: this.#ofHeaders(result.headers),
      status: result.status,
    };
  }

  close(): Promise<void> {
    return this.#handler.close();
  }

  #apply(text: string | null): string | null {
    return text === null ? null : this.#mask.apply(text);
  }
}
